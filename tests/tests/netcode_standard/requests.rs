//! "Processing Connection Requests", "Processing Connection Response Packets" and "Connected Clients".

use std::time::Duration;

use throng_server::net::netcode::HandshakeRefusal;
use throng_shared::netcode::challenge::{CHALLENGE_BYTES, ChallengeToken};
use throng_shared::netcode::packet::{Header, PacketType, REQUEST_BYTES, Request};
use throng_shared::netcode::{Key, NetcodeClient, NetcodeError, PACKET_BYTES_MAX, VERSION_INFO};

use crate::server::{Outcome, Server, client_address, data_of};

/// What is wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    Size,
    Version,
    Protocol,
    Expired,
    Seal,
    Malformed,
    OtherServer,
}

/// In the order in which a server looks for them.
const FAULTS: [Fault; 7] =
    [Fault::Size, Fault::Version, Fault::Protocol, Fault::Expired, Fault::Seal, Fault::Malformed, Fault::OtherServer];

/// A request with all these faults: from its sealed part outwards.
fn faulty_request(server: &Server, faults: &[Fault]) -> Vec<u8> {
    let (vectors, vector) = (&server.vectors, &server.vectors.tokens[0]);
    let mut plain = vector.plain.clone();
    if faults.contains(&Fault::OtherServer) {
        // Both ports: behind type and address of one, and of the other.
        plain[16 + 5] ^= 1;
        plain[16 + 7 + 17] ^= 1;
    }
    if faults.contains(&Fault::Malformed) {
        plain[12..16].copy_from_slice(&33u32.to_le_bytes());
    }
    let expires_at_s = if faults.contains(&Fault::Expired) { vector.created_at_s } else { vector.expires_at_s };
    let protocol_id = vectors.protocol_id + u64::from(faults.contains(&Fault::Protocol));
    let associated = [VERSION_INFO, &protocol_id.to_le_bytes()[..], &expires_at_s.to_le_bytes()].concat();
    let tag = vectors.private_key.seal_token(&vector.nonce, &associated, &mut plain);
    let mut sealed: [u8; 1_024] = [plain, tag.to_vec()].concat().try_into().expect("1,008 bytes and a tag");
    sealed[500] ^= u8::from(faults.contains(&Fault::Seal));
    let mut out = [0; PACKET_BYTES_MAX];
    let length = Request { expires_at_s, nonce: &vector.nonce, sealed: &sealed }.write(protocol_id, &mut out);
    if faults.contains(&Fault::Version) {
        out[1..14].copy_from_slice(b"NETCODE 1.01\0");
    }
    out[..length - usize::from(faults.contains(&Fault::Size))].to_vec()
}

/// How a fault is counted.
fn count(server: &Server, fault: Fault) -> u64 {
    match fault {
        Fault::Size => server.refused(NetcodeError::TooShort),
        Fault::Version | Fault::Protocol => server.refused(NetcodeError::Version),
        Fault::Expired => server.turned_away(HandshakeRefusal::Expired),
        Fault::Seal | Fault::Malformed => server.turned_away(HandshakeRefusal::Seal),
        Fault::OtherServer => server.turned_away(HandshakeRefusal::OtherServer),
    }
}

fn count_all(server: &Server) -> u64 {
    let totals = server.totals();
    totals.refused.iter().sum::<u64>() + totals.handshakes_refused.iter().sum::<u64>()
}

/// "The server takes the following steps, in this exact order": with several faults, the first one decides.
#[test]
fn a_request_is_ignored_for_the_first_of_its_faults() {
    let mut server = Server::new(10);
    for first in 0..FAULTS.len() {
        for faults in [&FAULTS[first..], &FAULTS[first..=first]] {
            let request = faulty_request(&server, faults);
            let (counted, all) = (count(&server, FAULTS[first]), count_all(&server));
            assert_eq!(server.receive(client_address(1), &request), Outcome::Nothing, "{faults:?}");
            assert_eq!(count(&server, FAULTS[first]), counted + 1, "{faults:?}");
            assert_eq!(count_all(&server), all + 1, "{faults:?}");
        }
    }
    let right = faulty_request(&server, &[]);
    assert_eq!(right, server.vectors.tokens[0].request);
    assert!(matches!(server.receive(client_address(1), &right), Outcome::Reply(_)));
}

/// The text has 1,062 bytes, but lists fields of 1,062 bytes with a number of 8 bytes in the place of the nonce of 24,
/// without which no server could open the sealed part.
#[test]
fn a_request_of_the_size_that_the_text_gives_is_ignored() {
    let mut server = Server::new(10);
    let request = server.vectors.tokens[0].request;
    assert_eq!(REQUEST_BYTES, 1_062 - 8 + 24);
    assert_eq!(server.receive(client_address(1), &request[..1_062]), Outcome::Nothing);
    assert_eq!(server.refused(NetcodeError::TooShort), 1);
}

/// "If the decrypted private connect token fails to be read for any reason, ignore the packet." The types of addresses
/// are 1 and 2, as the errata say.
#[test]
fn a_sealed_part_that_holds_what_no_token_holds_is_ignored() {
    // Place in the sealed part, and bytes.
    let table: [(usize, &[u8]); 7] = [
        (12, &[0, 0, 0, 0]),
        (12, &[33, 0, 0, 0]),
        (12, &[0xff, 0xff, 0xff, 0xff]),
        // The first address is of no type; the second one is.
        (16, &[0]),
        (16, &[3]),
        (16 + 7, &[0]),
        (16 + 7, &[3]),
    ];
    let mut server = Server::new(10);
    for (number, (place, bytes)) in table.into_iter().enumerate() {
        let (vectors, vector) = (&server.vectors, &server.vectors.tokens[0]);
        let mut plain = vector.plain.clone();
        plain[place..place + bytes.len()].copy_from_slice(bytes);
        let protocol_id = vectors.protocol_id;
        let associated = [VERSION_INFO, &protocol_id.to_le_bytes()[..], &vector.expires_at_s.to_le_bytes()].concat();
        let tag = vectors.private_key.seal_token(&vector.nonce, &associated, &mut plain);
        let sealed = [plain, tag.to_vec()].concat().try_into().expect("1,008 bytes and a tag");
        let mut out = [0; PACKET_BYTES_MAX];
        let request = Request { expires_at_s: vector.expires_at_s, nonce: &vector.nonce, sealed: &sealed };
        let length = request.write(protocol_id, &mut out);
        assert_eq!(server.receive(client_address(1), &out[..length]), Outcome::Nothing, "{place}: {bytes:?}");
        assert_eq!(server.turned_away(HandshakeRefusal::Seal), number as u64 + 1, "{place}: {bytes:?}");
    }
}

/// "If the connect token expire timestamp is <= the current timestamp, ignore the packet."
#[test]
fn a_token_is_good_until_the_second_in_which_it_expires() {
    for (waited_s, is_answered) in [(59, true), (60, false), (61, false)] {
        let mut server = Server::new(10);
        server.wait(Duration::from_secs(waited_s));
        let request = server.vectors.tokens[0].request;
        let outcome = server.receive(client_address(1), &request);
        assert_eq!(matches!(outcome, Outcome::Reply(_)), is_answered, "after {waited_s} s");
    }
}

/// "A sequence number that starts at zero and increases with each challenge token generated", for tokens that carry the
/// client id and the user data of the connect token.
#[test]
fn challenges_count_from_zero_and_tell_whose_they_are() {
    let mut server = Server::new(10);
    let private = server.vectors.tokens[0].private.clone();
    for number in 0..3u8 {
        let token = server.token(100 + u64::from(number), |_| ());
        let asked = NetcodeClient::new(token, server.now).update(server.now).expect("it asks at once").to_vec();
        let mut challenge = server.receive(client_address(number), &asked).reply();
        let header = Header::read(&challenge).expect("well-formed");
        let protocol_id = server.vectors.protocol_id;
        let data = header.open(protocol_id, &private.server_to_client, &mut challenge).expect("sealed for the client");
        let (at, sealed) = data.split_first_chunk_mut::<8>().expect("308 bytes");
        assert_eq!((header.packet_type, u64::from_le_bytes(*at)), (PacketType::Challenge, number.into()));
        assert_eq!(sealed.len(), CHALLENGE_BYTES);
        let told = ChallengeToken::open(&server.vectors.challenge_key, number.into(), sealed).expect("sealed with it");
        assert_eq!((told.client_id, told.user_data), (100 + u64::from(number), private.user_data));
    }
}

/// "If the encrypted challenge token data fails to decrypt, ignore the packet." None of these spoils what comes after
/// it.
#[test]
fn a_response_lets_in_only_with_the_challenge_that_was_sent_to_its_address() {
    let mut server = Server::new(10);
    let token = server.vectors.token();
    let (from, private) = (client_address(1), server.vectors.tokens[0].private.clone());
    let mut client = NetcodeClient::new(token, server.now);
    let asked = client.update(server.now).expect("it asks at once").to_vec();
    let mut challenge = server.receive(from, &asked).reply();
    client.receive(server.now, &mut challenge).expect("a challenge");
    let right = client.update(server.now).expect("it responds at once").to_vec();

    let data = |number: u64, key: &Key, sealed_number: u64| {
        let token = ChallengeToken { client_id: private.client_id, user_data: private.user_data };
        [&number.to_le_bytes()[..], &token.seal(key, sealed_number)].concat()
    };
    let (to_server, ours) = (private.client_to_server, server.vectors.challenge_key);
    let mut changed = data(0, &ours, 0);
    changed[100] ^= 1;
    let table = [
        ("one byte of it is another", to_server, changed),
        ("it has another number", to_server, data(1, &ours, 0)),
        ("it is that of a server that has been restarted", to_server, data(0, &Key([1; 32]), 0)),
        ("it is sealed with the key of the other direction", private.server_to_client, data(0, &ours, 0)),
    ];
    for (what, key, data) in table {
        let response = server.seal(&key, PacketType::Response, 7, &data);
        assert_eq!(server.receive(from, &response), Outcome::Nothing, "{what}");
    }
    assert_eq!(server.refused(NetcodeError::Seal), 4);
    assert_eq!(server.receive(client_address(2), &right), Outcome::Nothing, "from another address");
    let Outcome::Connected(connection, keep_alive) = server.receive(from, &right) else { panic!("it is right") };
    assert_eq!((connection.slot, keep_alive[0] & 0x0f), (0, PacketType::KeepAlive as u8));

    // "If a client from the packet source address and port is already connected, ignore the packet", both times.
    let at = (server.totals().unknown_source, count_all(&server));
    for packet in [&asked, &right] {
        assert_eq!(server.receive(from, packet), Outcome::Nothing);
    }
    assert_eq!((server.totals().unknown_source, count_all(&server)), at, "they are late, and no fault");
}

/// "If no client slots are available, then the server is full. Respond with a connection denied packet", also to those
/// who were challenged while there was room, whether they respond or ask again.
#[test]
fn the_last_place_goes_to_the_first_response_and_everybody_else_is_denied() {
    let mut server = Server::new(1);
    let mut said = Vec::new();
    for number in 1..=3u8 {
        let token = server.token(number.into(), |_| ());
        let mut client = NetcodeClient::new(token, server.now);
        let asked = client.update(server.now).expect("it asks at once").to_vec();
        let mut challenge = server.receive(client_address(number), &asked).reply();
        client.receive(server.now, &mut challenge).expect("a challenge");
        let response = client.update(server.now).expect("it responds at once").to_vec();
        said.push(if number == 3 { asked } else { response });
    }
    assert!(matches!(server.receive(client_address(1), &said[0]), Outcome::Connected(..)));
    for number in 2..=3u8 {
        let denied = server.receive(client_address(number), &said[usize::from(number) - 1]).reply();
        let packet_type = Header::read(&denied).map(|header| header.packet_type);
        assert_eq!(packet_type, Ok(PacketType::Denied), "client {number}");
        assert_eq!(server.turned_away(HandshakeRefusal::Full), u64::from(number) - 1);
    }
}

/// Deviations, on purpose: a client id that is connected may connect again, and what becomes of the former connection
/// is decided above netcode; a full server denies before it asks whether the token is in use elsewhere, for being shown
/// here must not spoil it for a port that has room.
#[test]
fn a_connected_client_id_is_challenged_and_a_used_token_is_denied_by_a_full_server() {
    let mut server = Server::new(2);
    let tokens = [1, 2].map(|number| server.token(5, |private| private.user_data[0] = number));
    let [first, second] = tokens.map(|token| {
        let asked = NetcodeClient::new(token.clone(), server.now).update(server.now).expect("it asks").to_vec();
        (token, asked)
    });
    server.connect(client_address(1), first.0);
    let (_, connection) = server.connect(client_address(2), second.0);
    assert_eq!(connection.slot, 1);
    let denied = server.receive(client_address(3), &first.1).reply();
    assert_eq!(Header::read(&denied).map(|header| header.packet_type), Ok(PacketType::Denied));
    assert_eq!(server.turned_away(HandshakeRefusal::Full), 1);
}

/// "If no connection payload packet or connection keep-alive packet are received from a client within the timeout
/// period specified in the connect token, the client slot is reset": nothing else keeps it.
#[test]
fn a_place_is_kept_by_payloads_and_keep_alives_and_by_nothing_else() {
    // The vectors' token has a timeout of 5 s; each row is sent every second, with a number of its own or the same
    // again.
    let table = [
        ("keep-alives", PacketType::KeepAlive, true, false, false),
        ("payloads", PacketType::Payload, true, false, false),
        ("a keep-alive that was recorded", PacketType::KeepAlive, false, false, true),
        ("keep-alives that somebody else has sealed", PacketType::KeepAlive, true, true, true),
        ("responses", PacketType::Response, true, false, true),
        ("challenges", PacketType::Challenge, true, false, true),
    ];
    for (what, packet_type, is_new, is_forged, has_ended) in table {
        let mut server = Server::new(1);
        let token = server.vectors.token();
        let key = if is_forged { Key([1; 32]) } else { token.client_to_server };
        let (_, connection) = server.connect(client_address(1), token);
        let mut ended = Vec::new();
        for second in 0..6 {
            let number = if is_new { 10 + second } else { 10 };
            let packet = server.seal(&key, packet_type, number, &data_of(packet_type));
            server.receive(client_address(1), &packet);
            ended.extend(server.wait(Duration::from_secs(1)));
        }
        assert_eq!(ended == [connection], has_ended, "{what}");
    }
}
