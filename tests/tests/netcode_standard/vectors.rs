//! The vectors that `tests/vectors/netcode.py` has written with libsodium.

use serde_json::Value;
use throng_shared::netcode::connect_token::{PRIVATE_BYTES, TOKEN_BYTES};
use throng_shared::netcode::packet::{PacketType, REQUEST_BYTES};
use throng_shared::netcode::{ConnectToken, Key, PrivateToken};

pub(crate) struct Vectors {
    pub(crate) protocol_id: u64,
    pub(crate) private_key: Key,
    pub(crate) challenge_key: Key,
    pub(crate) tokens: Vec<TokenVector>,
    /// Number and sealed bytes of challenges, all made for the first token.
    pub(crate) challenges: Vec<(u64, Vec<u8>)>,
    pub(crate) packets: Vec<PacketVector>,
    /// Payloads "x" whose numbers have more bytes than they need.
    pub(crate) long_numbers: Vec<PacketVector>,
}

pub(crate) struct TokenVector {
    pub(crate) private: PrivateToken,
    pub(crate) created_at_s: u64,
    pub(crate) expires_at_s: u64,
    pub(crate) nonce: [u8; 24],
    /// The private part before it is sealed.
    pub(crate) plain: Vec<u8>,
    pub(crate) sealed: [u8; PRIVATE_BYTES],
    pub(crate) public: [u8; TOKEN_BYTES],
    pub(crate) request: [u8; REQUEST_BYTES],
}

pub(crate) struct PacketVector {
    pub(crate) packet_type: PacketType,
    pub(crate) key: Key,
    pub(crate) number: u64,
    pub(crate) data: Vec<u8>,
    pub(crate) packet: Vec<u8>,
}

impl Vectors {
    pub(crate) fn read() -> Vectors {
        let file: Value = serde_json::from_str(include_str!("../../vectors/netcode.json")).expect("a JSON file");
        let all = |name: &str| file[name].as_array().expect("a list").iter();
        let challenge = |value| (number(value, "number"), bytes(value, "sealed"));
        Vectors {
            protocol_id: number(&file, "protocol_id"),
            private_key: key(&file, "private_key"),
            challenge_key: key(&file, "challenge_key"),
            tokens: all("tokens").map(token).collect(),
            challenges: all("challenges").map(challenge).collect(),
            packets: all("packets")
                .flat_map(|value| packets(value, number(value, "type"), &bytes(value, "data")))
                .collect(),
            long_numbers: packets(&file["long_numbers"], 5, b"x"),
        }
    }

    /// The token that is used throughout, and the one that all challenges are made for.
    pub(crate) fn token(&self) -> ConnectToken {
        ConnectToken::decode(&self.tokens[0].public).expect("a token of the standard")
    }

    /// The packet of that type and number that has the shortest data.
    pub(crate) fn packet(&self, packet_type: PacketType, number: u64) -> &[u8] {
        let found = self.packets.iter().find(|packet| (packet.packet_type, packet.number) == (packet_type, number));
        &found.expect("a number that the vectors have").packet
    }
}

fn token(value: &Value) -> TokenVector {
    let address = |value: &Value| value.as_str().expect("text").parse().expect("an address");
    TokenVector {
        private: PrivateToken {
            client_id: number(value, "client_id"),
            timeout_s: value["timeout_s"].as_i64().and_then(|seconds| seconds.try_into().ok()).expect("an i32"),
            addresses: value["addresses"].as_array().expect("a list").iter().map(address).collect(),
            client_to_server: key(value, "client_to_server"),
            server_to_client: key(value, "server_to_client"),
            user_data: sized(value, "user_data"),
        },
        created_at_s: number(value, "created_at_s"),
        expires_at_s: number(value, "expires_at_s"),
        nonce: sized(value, "nonce"),
        plain: bytes(value, "plain"),
        sealed: sized(value, "sealed"),
        public: sized(value, "public"),
        request: sized(value, "request"),
    }
}

fn packets(value: &Value, packet_type: u64, data: &[u8]) -> Vec<PacketVector> {
    let packet_type = match packet_type {
        1 => PacketType::Denied,
        2 => PacketType::Challenge,
        3 => PacketType::Response,
        4 => PacketType::KeepAlive,
        5 => PacketType::Payload,
        6 => PacketType::Disconnect,
        other => panic!("{other} is not the type of an encrypted packet"),
    };
    let packet = |packet| PacketVector {
        packet_type,
        key: key(value, "key"),
        number: number(packet, "number"),
        data: data.to_vec(),
        packet: bytes(packet, "packet"),
    };
    value["packets"].as_array().expect("a list").iter().map(packet).collect()
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().expect(name)
}

fn key(value: &Value, name: &str) -> Key {
    Key(sized(value, name))
}

fn sized<const SIZE: usize>(value: &Value, name: &str) -> [u8; SIZE] {
    bytes(value, name).try_into().expect(name)
}

fn bytes(value: &Value, name: &str) -> Vec<u8> {
    let text = value[name].as_str().expect(name);
    let byte = |place| u8::from_str_radix(&text[place..place + 2], 16).expect("hexadecimal digits");
    (0..text.len()).step_by(2).map(byte).collect()
}
