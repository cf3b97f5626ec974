//! A whole client past the seal: its server says whatever a script wants.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use throng_client::{Client, State, TransportEnd, TransportStatus};
use throng_shared::ids::NetId;
use throng_shared::input::{Buttons, PlayerInput};
use throng_shared::netcode::ClientEnd;
use throng_shared::tick::Tick;
use throng_shared::wire::PROTOCOL_VERSION;
use throng_shared::wire::control::{self, ClientControl, ServerControl, Welcome};
use throng_shared::wire::datagram::{CONTROL, Datagram};
use throng_shared::wire::inputs::InputFrame;

use super::host::small_world;
use super::script::Script;
use super::transports::QueuedTransport;
use super::wire::check_replica;

/// Prediction errors and echoes that wait for somebody to drain them.
const UNDRAINED_MAX: usize = 4_096;

/// Datagrams that a client has to send at once: catching up after a pause it makes 32 inputs, in one frame; the rest are
/// packets of its channel.
const DATAGRAMS_MAX: usize = 48;

const TIME_STEPS_MS: [u64; 4] = [0, 15, 60, 4_000];

/// A script of what a server says. The lowest bit of the first byte says whether the client has been let in honestly. Then
/// each step has what happens in its lowest bits, and how much time passes before in the next two:
///
/// | step | then | what happens |
/// |---|---|---|
/// | 0, 1, 2 | count, bytes | the server sends these bytes |
/// | 3 | five bytes | the player's input changes |
/// | 4 | two bytes | the player sends a message of so many bytes; what has arrived is taken |
/// | 5 | | the connection breaks, and is made anew with the next step |
/// | 6 | tick (8), resumed (1) | a right welcome |
/// | 7 | two bytes | others are shown so much later, in milliseconds |
pub fn client(bytes: &[u8]) {
    let mut script = Script::new(bytes);
    let (world, map) = small_world();
    let mut scene = Scene {
        now: Duration::ZERO,
        client: Client::new(QueuedTransport::default(), Arc::clone(map), world, "Ann"),
        input: PlayerInput::default(),
    };
    scene.live();
    if script.byte().unwrap_or(0) & 1 == 1 {
        scene.hear(&welcome(1, false));
        assert_eq!(*scene.client.state(), State::Playing);
    }
    while let Some(step) = script.byte() {
        scene.now += Duration::from_millis(TIME_STEPS_MS[usize::from(step >> 3 & 3)]);
        match step & 7 {
            0..=2 => scene.hear(script.counted()),
            3 => scene.input = input(&mut script),
            4 => scene.talk(usize::from(script.short())),
            5 => scene.lose_connection(),
            6 => {
                let tick = script.long() as u32;
                scene.hear(&welcome(tick, script.byte().unwrap_or(0) & 1 == 1));
            }
            _ => scene.client.set_interpolation_delay(Duration::from_millis(script.short().into())),
        }
        scene.live();
    }
}

struct Scene {
    now: Duration,
    client: Client<QueuedTransport>,
    input: PlayerInput,
}

fn welcome(tick: u32, is_resumed: bool) -> Vec<u8> {
    let welcome = Welcome {
        version: PROTOCOL_VERSION,
        tick,
        net_id: NetId(7),
        tick_rate_hz: 20,
        channel: 1,
        is_resumed,
        attributes: 0,
    };
    [&[CONTROL], &control::encode(&ServerControl::Welcome(welcome))[..]].concat()
}

fn input(script: &mut Script<'_>) -> PlayerInput {
    let [move_x, move_z] = script.short().to_le_bytes().map(|byte| byte as i8);
    let (yaw, buttons) = (script.short(), script.byte().unwrap_or(0));
    PlayerInput {
        move_x,
        move_z,
        yaw,
        buttons: Buttons(buttons & 0x0f),
        ability: buttons >> 4,
        ..PlayerInput::default()
    }
}

impl Scene {
    fn hear(&mut self, datagram: &[u8]) {
        self.client.transport_mut().inbox.push_back(datagram.to_vec());
        self.live();
    }

    fn talk(&mut self, message_bytes: usize) {
        // Too long, or too many: the player is told.
        let _ = self.client.send_message(&vec![7; message_bytes]);
        while self.client.next_message().is_some() {}
    }

    fn lose_connection(&mut self) {
        let end = TransportEnd::Netcode(ClientEnd::TimedOut);
        self.client.transport_mut().status = TransportStatus::Disconnected(end);
        self.live();
        assert!(self.client.is_closed());
        self.client.reconnect(QueuedTransport::default());
    }

    /// Does what a game does in each frame, and looks at what comes of it.
    fn live(&mut self) {
        self.client.update(self.now);
        while self.client.is_input_due(self.now) {
            let due = self.client.next_input_at();
            self.client.step(self.now, self.input);
            assert!(self.client.next_input_at() > due, "inputs go on");
        }
        // Wherever its server says it is, it says something.
        let _ = (self.client.own_position_m(self.now), self.client.confirmed());
        for entity in self.client.replica().entities() {
            assert!(self.client.interpolated(entity, self.now).position_m.is_finite());
        }
        check_replica(self.client.replica());
        let stats = self.client.stats();
        assert!(stats.echoes_ms.len().max(stats.prediction_errors_m.len()) <= UNDRAINED_MAX);
        let said = std::mem::take(&mut self.client.transport_mut().outbox);
        assert!(said.len() <= DATAGRAMS_MAX, "{} datagrams at once", said.len());
        said.iter().for_each(|datagram| check_datagram(datagram));
    }
}

/// What a client says is right, whatever it was told.
fn check_datagram(bytes: &[u8]) {
    let datagram = Datagram::parse(bytes).expect("what a client packs can be parsed");
    if let Some(message) = datagram.control {
        let ClientControl::Hello(_) = control::decode(message).expect("a client says hello, and nothing else");
    }
    if let Some(frame) = datagram.frame {
        let frame = InputFrame::decode(frame).expect("a client's frames are right");
        let ticks: BTreeSet<Tick> = frame.inputs().map(|(tick, _)| tick).collect();
        assert!(!ticks.is_empty());
    }
}
