//! What libsodium has sealed by the words of the standard, our code makes byte for byte, and reads.

use std::time::Duration;

use throng_shared::netcode::challenge::ChallengeToken;
use throng_shared::netcode::client::Heard;
use throng_shared::netcode::packet::{self, Header, KeepAlive, PacketType, Request};
use throng_shared::netcode::{ConnectToken, NetcodeClient, PACKET_BYTES_MAX, PrivateToken, VERSION_INFO};

use crate::server::{Outcome, Server, client_address};
use crate::vectors::Vectors;

#[test]
fn connect_tokens_are_those_of_the_standard() {
    let Vectors { protocol_id, private_key: key, tokens, .. } = Vectors::read();
    assert_eq!(tokens.len(), 2);
    for vector in &tokens {
        let (private, expires_at_s, nonce) = (&vector.private, vector.expires_at_s, &vector.nonce);
        let associated = [VERSION_INFO, &protocol_id.to_le_bytes()[..], &expires_at_s.to_le_bytes()].concat();
        let mut sealed = vector.sealed;
        let plain = key.open_token(nonce, &associated, &mut sealed).map(|plain| plain.to_vec());
        assert_eq!(plain.as_ref(), Ok(&vector.plain));
        assert_eq!(private.seal(protocol_id, expires_at_s, nonce, &key), Ok(vector.sealed));
        let opened = PrivateToken::open(&vector.sealed, protocol_id, expires_at_s, nonce, &key);
        assert_eq!(opened.as_ref(), Ok(private));
        let token = ConnectToken::new(private, protocol_id, vector.created_at_s, expires_at_s, *nonce, &key);
        assert_eq!(ConnectToken::decode(&vector.public), token);
        assert_eq!(token.expect("it has addresses").encode(), Ok(vector.public));
    }
}

#[test]
fn requests_are_those_of_the_standard() {
    let Vectors { protocol_id, tokens, .. } = Vectors::read();
    for vector in &tokens {
        let request = Request { expires_at_s: vector.expires_at_s, nonce: &vector.nonce, sealed: &vector.sealed };
        let mut out = [0; PACKET_BYTES_MAX];
        let length = request.write(protocol_id, &mut out);
        assert_eq!(out[..length], vector.request);
        assert_eq!(Header::read(&vector.request).map(|header| header.packet_type), Ok(PacketType::Request));
        let Request { expires_at_s, nonce, sealed } = Request::read(protocol_id, &vector.request).expect("a request");
        assert_eq!((expires_at_s, nonce, sealed), (vector.expires_at_s, &vector.nonce, &vector.sealed));
    }
}

#[test]
fn challenges_are_those_of_the_standard() {
    let Vectors { challenge_key, tokens, challenges, .. } = Vectors::read();
    let PrivateToken { client_id, user_data, .. } = tokens[0].private;
    let token = ChallengeToken { client_id, user_data };
    assert_eq!(challenges.len(), 4);
    for (number, sealed) in challenges {
        assert_eq!(token.seal(&challenge_key, number)[..], sealed, "{number}");
        assert_eq!(ChallengeToken::open(&challenge_key, number, &mut sealed.clone()).as_ref(), Some(&token));
        assert_eq!(ChallengeToken::open(&challenge_key, number ^ 1, &mut sealed.clone()), None);
    }
}

#[test]
fn encrypted_packets_of_every_type_and_length_of_number_are_those_of_the_standard() {
    let Vectors { protocol_id, packets, .. } = Vectors::read();
    assert_eq!(packets.len(), 6 * 11 + 2);
    for vector in &packets {
        let name = format!("{:?} {}, {} bytes", vector.packet_type, vector.number, vector.data.len());
        let mut out = [0; PACKET_BYTES_MAX];
        let (key, data) = (&vector.key, &vector.data[..]);
        let length = packet::seal(vector.packet_type, protocol_id, key, vector.number, &[data], &mut out);
        assert_eq!(out[..length], vector.packet, "{name}");
        let mut packet = vector.packet.clone();
        let header = Header::read(&packet).expect("a packet of the standard");
        assert_eq!((header.packet_type, header.sequence), (vector.packet_type, vector.number), "{name}");
        let opened = header.open(protocol_id, key, &mut packet).map(|data| data.to_vec());
        assert_eq!(opened.as_deref(), Ok(data), "{name}");
    }
}

#[test]
fn numbers_in_more_bytes_than_they_need_are_understood() {
    let Vectors { protocol_id, long_numbers, .. } = Vectors::read();
    assert_eq!(long_numbers.len(), 3);
    for vector in &long_numbers {
        let mut packet = vector.packet.clone();
        let header = Header::read(&packet).expect("nothing forbids it");
        assert_eq!(header.sequence, vector.number);
        assert_eq!(header.open(protocol_id, &vector.key, &mut packet).map(|data| data.to_vec()), Ok(b"x".to_vec()));
    }
}

/// From the request to the end, both our ends say byte for byte what libsodium has sealed, and understand it.
#[test]
fn a_whole_conversation_is_made_of_the_bytes_of_the_vectors() {
    let mut server = Server::new(64);
    let vectors = Vectors::read();
    let packet = |packet_type, number| vectors.packet(packet_type, number);
    let (from, now) = (client_address(1), Duration::ZERO);
    let mut client = NetcodeClient::new(vectors.token(), now);

    let request = &vectors.tokens[0].request[..];
    assert_eq!(client.update(now), Some(request));
    // Outside of a connection our server counts from 2^63, as the reference implementation does.
    let challenge = packet(PacketType::Challenge, 1 << 63);
    assert_eq!(server.receive(from, request), Outcome::Reply(challenge.to_vec()));
    assert_eq!(client.receive(now, &mut challenge.to_vec()), Ok(Heard::Nothing));

    let response = packet(PacketType::Response, 0);
    assert_eq!(client.update(now), Some(response));
    let keep_alive = packet(PacketType::KeepAlive, 0);
    assert_eq!(server.receive(from, response).reply(), keep_alive);
    assert_eq!(client.receive(now, &mut keep_alive.to_vec()), Ok(Heard::Connected));
    assert_eq!(client.place(), Some(KeepAlive { client_index: 0, clients_max: 64 }));

    let payload = packet(PacketType::Payload, 1);
    assert_eq!(client.payload(now, &[b"what all ", b"this is for"]), Some(payload));
    for number in [1, 255, 256, (1 << 24) - 1, 1 << 24, (1 << 40) - 1, 1 << 63] {
        let came = server.receive(from, packet(PacketType::Payload, number));
        assert_eq!(came, Outcome::Payload(b"what all this is for".to_vec()), "{number}");
    }
    assert_eq!(server.receive(from, packet(PacketType::Disconnect, u64::MAX)), Outcome::Disconnected);
}
