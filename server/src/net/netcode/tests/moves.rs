//! Clients whose address changes, and those who only say so.

use super::*;
use throng_shared::limits::HANDSHAKES_PER_50_MS_MAX;
use throng_shared::netcode::packet::{MOVE_BYTES_MIN, MOVE_DATA_BYTES_MAX, Move};

/// What a client says next.
fn say(scene: &Scene, client: &mut NetcodeClient, payload: &[u8]) -> Vec<u8> {
    client.payload(scene.now, &[payload]).expect("it is connected").to_vec()
}

/// Gives a client everything that was sent to `address`; returns the payloads among it.
fn hear(scene: &mut Scene, client: &mut NetcodeClient, address: SocketAddr) -> Vec<Vec<u8>> {
    let mut heard = Vec::new();
    for (to, mut packet) in std::mem::take(&mut scene.sent) {
        assert_eq!(to, address);
        if let Heard::Payload(payload) = client.receive(scene.now, &mut packet).expect("the table seals what it sends")
        {
            heard.push(payload.to_vec());
        }
    }
    heard
}

/// A move for place 0 that carries nothing.
fn seal_move(key: &Key, sequence: u64, answer: u64, out: &mut [u8]) -> usize {
    let mut data = [0; MOVE_DATA_BYTES_MAX];
    packet::seal_move(PROTOCOL, key, sequence, 0, Move::encode(answer, &[], &mut data), out)
}

fn bytes_sent_to(scene: &Scene, address: SocketAddr) -> usize {
    scene.sent.iter().filter(|(to, _)| *to == address).map(|(_, packet)| packet.len()).sum()
}

#[test]
fn a_client_that_moves_is_heard_and_answered_within_one_round_trip_and_proves_itself_in_the_next() {
    let (home, away) = (client_address(1), client_address(2));
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), home);
    let (connection, ..) = scene.connections[0];
    client.begin_move();
    let packet = say(&scene, &mut client, b"over here");
    scene.receive(away, &packet);
    assert_eq!(scene.payloads, [(connection, b"over here".to_vec())], "what a move carries is not lost");
    scene.send(connection, &[7; 1_150]);
    assert_eq!(hear(&mut scene, &mut client, away), [vec![7; 1_150]], "nearly a whole snapshot, at once");
    assert!(client.is_moving(), "the server has not seen yet that we receive here");
    let answer = client.update(scene.now).expect("a challenge is answered at once").to_vec();
    scene.receive(away, &answer);
    assert_eq!(hear(&mut scene, &mut client, away), [[0; 0]; 0]);
    assert!(!client.is_moving());
    // As ever, from now on: no longer than needed, and as much as is wanted.
    let packet = say(&scene, &mut client, b"as ever");
    assert_eq!(Header::read(&packet).map(|header| header.packet_type), Ok(PacketType::Payload));
    scene.receive(away, &packet);
    assert_eq!(scene.payloads.last(), Some(&(connection, b"as ever".to_vec())));
    (0..100).for_each(|_| scene.send(connection, &[7; 1_200]));
    assert_eq!(hear(&mut scene, &mut client, away).len(), 100);
    assert_eq!((scene.table.totals().moves, scene.table.totals().held_back), (1, 0));
    // Nobody is at home any more.
    let packet = say(&scene, &mut client, b"from home");
    scene.receive(home, &packet);
    assert_eq!(
        (scene.payloads.len(), scene.table.totals().unknown_source),
        (3, 1),
        "the answer was a payload without bytes"
    );
}

#[test]
fn a_client_that_only_thought_that_it_has_moved_goes_on_as_before() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    client.begin_move();
    let packet = say(&scene, &mut client, b"am I still there?");
    scene.receive(client_address(1), &packet);
    hear(&mut scene, &mut client, client_address(1));
    assert!(!client.is_moving(), "there is nothing to prove");
    assert_eq!((scene.payloads.len(), scene.table.totals().moves), (1, 0));
}

#[test]
fn every_packet_of_a_move_may_be_lost_and_it_goes_on() {
    for lost in 1u32..64 {
        let mut scene = scene(10);
        let mut client = scene.connect(token(1, |_| ()), client_address(1));
        let (connection, ..) = scene.connections[0];
        client.begin_move();
        let (mut sent, mut said) = (0, 0);
        for _ in 0..20 {
            scene.wait(Duration::from_millis(50));
            let packet = say(&scene, &mut client, b"input");
            // The first six packets of both ends are lost as the bits of the case say.
            let mut is_lost = || {
                sent += 1;
                sent <= 6 && lost & 1 << (sent - 1) != 0
            };
            if !is_lost() {
                scene.receive(client_address(2), &packet);
                said += 1;
            }
            scene.send(connection, b"snapshot");
            scene.sent.retain(|(to, _)| *to == client_address(2) && !is_lost());
            hear(&mut scene, &mut client, client_address(2));
        }
        assert!(!client.is_moving(), "case {lost:b}");
        assert_eq!((scene.payloads.len(), scene.table.totals().moves), (said, 1), "case {lost:b}");
    }
}

#[test]
fn a_claimed_address_gets_no_more_bytes_than_came_from_there() {
    let victim = client_address(9);
    let mut scene = scene(10);
    // A player of ours that would like the server to flood somebody else, whose answers it does not get.
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let (connection, ..) = scene.connections[0];
    client.begin_move();
    let mut spoofed_bytes = 0;
    for round in 0..200 {
        if round % 10 == 0 {
            let packet = say(&scene, &mut client, b"hit me");
            spoofed_bytes += packet.len();
            scene.receive(victim, &packet);
        }
        scene.wait(Duration::from_millis(50));
        scene.send(connection, &[7; 1_200]);
        let received_bytes = bytes_sent_to(&scene, victim);
        assert!(received_bytes <= spoofed_bytes, "{received_bytes} bytes for {spoofed_bytes}");
    }
    assert!(scene.table.totals().held_back > 100);
    // Guessing is of no use either.
    let key = Key([1; 32]);
    let mut out = [0; PACKET_BYTES_MAX];
    for guess in 0..100 {
        let length = seal_move(&key, 1_000 + guess, guess, &mut out);
        scene.sent.clear();
        scene.receive(victim, &out[..length]);
        assert!(scene.sent[0].1.len() < 40, "another challenge");
    }
    (0..10).for_each(|_| scene.send(connection, &[7; 1_200]));
    assert!(bytes_sent_to(&scene, victim) <= 5 * PACKET_BYTES_MAX);
    // Nor is it told more often than that that it is over.
    (0..1_000).for_each(|_| scene.send(connection, &[7]));
    let (address, _, repeats) = scene.table.disconnect(connection, &mut out).expect("it is connected");
    assert!(address == victim && repeats <= 1, "{repeats} times");
}

#[test]
fn a_claimed_address_is_not_sent_keep_alives() {
    let mut scene = scene(10);
    let _client = scene.connect(token(1, |_| ()), client_address(1));
    let mut out = [0; PACKET_BYTES_MAX];
    let length = seal_move(&Key([1; 32]), 1_000, 0, &mut out);
    scene.receive(client_address(9), &out[..length]);
    (0..40).for_each(|_| scene.wait(Duration::from_millis(100)));
    assert_eq!((scene.sent.len(), scene.disconnected.len()), (1, 0), "the challenge");
    scene.wait(Duration::from_secs(1));
    assert_eq!((scene.sent.len(), scene.disconnected.len()), (1, 1), "and then it is over");
}

#[test]
fn a_move_that_was_overtaken_or_is_repeated_does_not_move_back() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let (connection, ..) = scene.connections[0];
    client.begin_move();
    let empty = client.update(scene.now).expect("the server is to know at once").to_vec();
    let packets = [b"first", b"again", b"third"].map(|payload| say(&scene, &mut client, payload));
    scene.receive(client_address(2), &packets[0]);
    scene.receive(client_address(3), &packets[2]);
    scene.receive(client_address(2), &packets[1]);
    scene.receive(client_address(2), &empty);
    scene.receive(client_address(4), &packets[2]);
    scene.sent.clear();
    scene.send(connection, b"snapshot");
    assert_eq!(scene.sent[0].0, client_address(3));
    let heard: Vec<_> = scene.payloads.iter().map(|(_, payload)| &payload[..]).collect();
    assert_eq!(
        heard,
        [&b"first"[..], b"third", b"again"],
        "nothing is lost, nothing is heard twice, and no bytes are no payload"
    );
    assert_eq!((scene.table.totals().moves, scene.refused(NetcodeError::Replayed)), (2, 1));
}

#[test]
fn whoever_moves_to_an_address_that_another_has_left_unheard_gets_it_and_the_other_can_still_move() {
    let (home, away) = (client_address(1), client_address(2));
    let mut scene = scene(10);
    let mut first = scene.connect(token(1, |_| ()), home);
    let mut second = scene.connect(token(2, |_| ()), away);
    let [first_connection, second_connection] = [scene.connections[0].0, scene.connections[1].0];
    second.begin_move();
    scene.exchange(&mut second, home);
    assert!(!second.is_moving());
    let packet = say(&scene, &mut second, b"mine");
    scene.receive(home, &packet);
    first.begin_move();
    scene.exchange(&mut first, away);
    let packet = say(&scene, &mut first, b"and mine");
    scene.receive(away, &packet);
    let heard: Vec<_> = scene.payloads.iter().filter(|(_, payload)| !payload.is_empty()).cloned().collect();
    assert_eq!(heard, [(second_connection, b"mine".to_vec()), (first_connection, b"and mine".to_vec())]);
    // Whoever was still there all the same is not left hearing and unheard: it hears nothing, moves, and has it back.
    scene.sent.clear();
    first.begin_move();
    scene.exchange(&mut first, home);
    scene.sent.clear();
    scene.send(second_connection, b"unheard");
    assert_eq!(scene.sent.len(), 0);
    second.begin_move();
    scene.exchange(&mut second, home);
    let packet = say(&scene, &mut second, b"mine again");
    scene.receive(home, &packet);
    assert_eq!(scene.payloads.last(), Some(&(second_connection, b"mine again".to_vec())));
    first.begin_move();
    scene.exchange(&mut first, away);
    // The one who goes does not take the other's address along.
    let mut parting = Vec::new();
    first.disconnect(|packet| parting.push(packet.to_vec()));
    parting.iter().for_each(|packet| scene.receive(away, packet));
    let packet = say(&scene, &mut second, b"still here");
    scene.receive(home, &packet);
    assert_eq!(scene.payloads.last(), Some(&(second_connection, b"still here".to_vec())));
}

#[test]
fn moves_of_strangers_are_counted_cost_little_and_move_nobody() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let (connection, ..) = scene.connections[0];
    client.begin_move();
    let right = say(&scene, &mut client, b"move");
    let mut other_place = right.clone();
    other_place[2] = 1;
    let mut far_place = right.clone();
    far_place[2..6].fill(0xff);
    let mut damaged = right.clone();
    damaged[100] ^= 1;
    scene.receive(client_address(2), &other_place);
    scene.receive(client_address(2), &far_place);
    assert_eq!(scene.table.totals().unknown_source, 2);
    scene.receive(client_address(2), &damaged);
    assert_eq!((scene.refused(NetcodeError::Seal), scene.sent.len()), (1, 0), "it is not answered");
    // From one source, and from many.
    (0..2 * HANDSHAKES_PER_SOURCE_MAX).for_each(|_| scene.receive(client_address(3), &damaged));
    let of_one_source = scene.table.totals().moves_refused;
    assert!(of_one_source >= u64::from(HANDSHAKES_PER_SOURCE_MAX));
    let sources = HANDSHAKES_PER_50_MS_MAX as u16;
    for number in 0..sources {
        scene.receive(SocketAddr::from(([203, (number >> 8) as u8, number as u8, 7], 7)), &damaged);
    }
    assert!(scene.table.totals().moves_refused > of_one_source);
    assert_eq!((scene.table.totals().moves, scene.payloads.len()), (0, 0));
    scene.wait(Duration::from_secs(1));
    scene.receive(client_address(2), &right);
    assert_eq!((scene.table.totals().moves, &scene.payloads[..]), (1, &[(connection, b"move".to_vec())][..]));
}

#[test]
fn whoever_claims_the_address_of_somebody_else_makes_nobody_deaf() {
    let (home, victim_address, newcomer_address) = (client_address(1), client_address(2), client_address(3));
    let mut scene = scene(10);
    let mut attacker = scene.connect(token(1, |_| ()), home);
    let mut victim = scene.connect(token(2, |_| ()), victim_address);
    let victim_connection = scene.connections[1].0;
    let mut answers = Vec::new();
    for address in [victim_address, newcomer_address] {
        attacker.begin_move();
        let spoofed = say(&scene, &mut attacker, b"I am there");
        scene.receive(address, &spoofed);
        answers.append(&mut scene.sent);
        let packet = say(&scene, &mut victim, b"still me");
        scene.receive(victim_address, &packet);
        assert_eq!(scene.payloads.last(), Some(&(victim_connection, b"still me".to_vec())));
    }
    assert!(answers.iter().all(|(_, packet)| packet.len() < 40), "challenges, which the attacker does not get");
    // And who wants to come in from where somebody says that he is comes in.
    scene.connect(token(3, |_| ()), newcomer_address);
    assert_eq!((scene.connections.len(), scene.table.totals().moves), (3, 2));
}

#[test]
fn who_leaves_before_it_has_proven_its_address_is_gone_at_once() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    let mut other = scene.connect(token(2, |_| ()), client_address(2));
    let connection = scene.connections[0].0;
    client.begin_move();
    let packet = say(&scene, &mut client, b"over here");
    scene.receive(client_address(3), &packet);
    // Nobody else can say so from there.
    other.disconnect(|packet| scene.receive(client_address(3), packet));
    assert_eq!(scene.disconnected, []);
    client.disconnect(|packet| scene.receive(client_address(3), packet));
    assert_eq!(scene.disconnected, [connection]);
    assert!(scene.table.claims.is_empty());
}

#[test]
fn a_flood_of_moves_keeps_nobody_from_coming_in() {
    let mut scene = scene(10);
    let mut client = scene.connect(token(1, |_| ()), client_address(1));
    client.begin_move();
    let mut packet = say(&scene, &mut client, b"move");
    packet[100] ^= 1;
    // From the newcomer's own address, as if.
    (0..2 * HANDSHAKES_PER_SOURCE_MAX).for_each(|_| scene.receive(client_address(2), &packet));
    for number in 0..2 * HANDSHAKES_PER_50_MS_MAX as u16 {
        scene.receive(SocketAddr::from(([203, (number >> 8) as u8, number as u8, 7], 7)), &packet);
    }
    assert!(scene.table.totals().moves_refused > u64::from(HANDSHAKES_PER_50_MS_MAX));
    scene.connect(token(2, |_| ()), client_address(2));
    assert_eq!(scene.connections.len(), 2);
    // And it is as dear as one of requests.
    scene.wait(Duration::from_secs(1));
    let short = &mut [0; MOVE_BYTES_MIN - 1];
    let length = packet::seal_move(PROTOCOL, &Key([1; 32]), 1_000, 0, &[0; 10], short);
    scene.receive(client_address(3), &short[..length]);
    let longest = short.len() - 28;
    let length = packet::seal_move(PROTOCOL, &Key([1; 32]), 1_001, 0, &vec![0; longest], short);
    scene.receive(client_address(3), &short[..length]);
    assert_eq!((scene.refused(NetcodeError::TooShort), scene.table.totals().moves), (2, 0));
}
