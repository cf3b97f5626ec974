//! One world with its people, moved along by a time of its own.

use std::sync::Arc;
use std::time::Duration;

use throng_client::{Client, State, Wanderer};
use throng_shared::config::LoadedWorld;
use throng_shared::ids::{ClientId, InstanceId};
use throng_shared::map::Map;
use throng_shared::wire::token::TokenData;

use super::figures::{Counts, Figures, Meter};
use super::{PlanError, PlanOptions};
use crate::batch::OutboundBatch;
use crate::clock::Clock;
use crate::host::{Host, HostOptions};
use crate::instance::Instance;
use crate::memory_network::{MemoryClientTransport, MemoryNetwork, MemoryServerTransport};
use crate::net::{Connections, NetInbound};

/// How often clients look after themselves: as often as games do, or oftener. A whole number of them is in a slice.
const STEP: Duration = Duration::from_millis(5);

/// How long people play before it counts: the paces of their inputs settle. As long as swarms take.
const SETTLE: Duration = Duration::from_secs(3);

/// Within this time everybody is in.
const JOIN: Duration = Duration::from_secs(2);

/// How often is looked at what clients see.
const LOOK_INTERVAL: Duration = Duration::from_secs(1);

const WORLD: InstanceId = InstanceId(0);

/// A world and its people.
pub(super) struct Rehearsal {
    of: &'static str,
    options: PlanOptions,
    /// What clients have of the world.
    world: LoadedWorld,
    map: Arc<Map>,
    now: Duration,
    host: Host,
    network: MemoryNetwork,
    connections: Connections<MemoryServerTransport>,
    inbound: NetInbound,
    outbound: OutboundBatch,
    people: Vec<Person>,
    meter: Meter,
    looked_at: Duration,
    /// The counts when measuring began; none before.
    began: Option<Counts>,
}

struct Person {
    client: Client<MemoryClientTransport>,
    wanderer: Wanderer,
}

impl Rehearsal {
    /// A world at its beginning, without people.
    pub(super) fn begin(
        of: &'static str,
        world: &LoadedWorld,
        options: &PlanOptions,
        clock: &Arc<dyn Clock>,
    ) -> Result<Rehearsal, PlanError> {
        let map = Map::new(&world.config, world.terrain_samples.as_ref())?;
        let instance = Instance::new(world, Arc::clone(clock))?;
        let network = MemoryNetwork::default();
        Ok(Rehearsal {
            of,
            options: *options,
            world: world.clone(),
            map: Arc::new(map),
            now: Duration::ZERO,
            host: Host::new(vec![instance], HostOptions::default(), Duration::ZERO),
            connections: Connections::new(network.server()),
            network,
            inbound: NetInbound::default(),
            outbound: OutboundBatch::default(),
            people: Vec::new(),
            meter: Meter::default(),
            looked_at: Duration::ZERO,
            began: None,
        })
    }

    /// The same with other files taken over, which are known to differ in nothing that is fixed.
    pub(super) fn adopt(mut self, new: &LoadedWorld) -> Rehearsal {
        let adopted = self.host.adopt(self.now, WORLD, new);
        debug_assert!(adopted.is_ok(), "nothing that is fixed differs: {adopted:?}");
        self
    }

    /// What is other in these files and cannot change while the world runs.
    pub(super) fn fixed_changes(&self, new: &LoadedWorld) -> Vec<&'static str> {
        self.host.instances().next().map(|instance| instance.fixed_changes(new)).unwrap_or_default()
    }

    /// How long a world is to run.
    pub(super) fn whole_time(options: &PlanOptions) -> Duration {
        Rehearsal::measuring_begins(options) + options.measured
    }

    fn measuring_begins(options: &PlanOptions) -> Duration {
        options.warm_up + JOIN + SETTLE
    }

    /// Lives on until `end`, or until it has lived long enough.
    ///
    /// # Errors
    /// When it is time to measure and somebody is not in the world.
    pub(super) fn run_until(&mut self, end: Duration) -> Result<(), PlanError> {
        let (end, begins) = (end.min(Rehearsal::whole_time(&self.options)), Rehearsal::measuring_begins(&self.options));
        while self.now < end {
            if self.people.is_empty() && self.now >= self.options.warm_up {
                self.invite_people();
            }
            if self.began.is_none() && self.now >= begins {
                self.expect_everybody()?;
                self.began = Some(self.counts());
            }
            self.step();
        }
        Ok(())
    }

    /// What was measured.
    ///
    /// # Errors
    /// When somebody was lost on the way.
    pub(super) fn figures(self) -> Result<Figures, PlanError> {
        self.expect_everybody()?;
        let to = self.counts();
        let from = self.began.unwrap_or(to);
        Ok(self.meter.figures(&from, &to, self.options.measured, self.options.people))
    }

    fn invite_people(&mut self) {
        let PlanOptions { people, seed, link, .. } = self.options;
        for number in 0..people {
            let id = ClientId(u64::from(number) + 1);
            let data = TokenData { instance: WORLD, session: 0, issued_at_ms: id.0 };
            let transport = self.network.connect(id, data, link, seed);
            let client = Client::new(transport, Arc::clone(&self.map), &self.world, "");
            let wanderer = Wanderer::new(seed, number, &self.world.config);
            self.people.push(Person { client, wanderer });
        }
    }

    fn expect_everybody(&self) -> Result<(), PlanError> {
        let mut missing = self.people.iter().filter(|person| *person.client.state() != State::Playing);
        let Some(first) = missing.next() else { return Ok(()) };
        let state = format!("{:?}", first.client.state());
        Err(PlanError::NotIn { missing: 1 + missing.count(), people: self.options.people, of: self.of, state })
    }

    fn counts(&self) -> Counts {
        let world = self.host.instances().next().map(Instance::totals).unwrap_or_default();
        Counts { world, net: self.inbound.totals }
    }

    fn step(&mut self) {
        self.now += STEP;
        self.connections.receive(self.now, &mut self.inbound);
        if self.host.next_due().is_some_and(|due| due <= self.now) {
            self.tick();
        }
        for Person { client, wanderer } in &mut self.people {
            client.update(self.now);
            while client.is_input_due(self.now) {
                let input = wanderer.input(client, self.now);
                client.step(self.now, input);
            }
            // Nobody looks at it.
            while client.next_event().is_some() {}
        }
        if self.began.is_some() && self.now >= self.looked_at + LOOK_INTERVAL {
            self.looked_at = self.now;
            self.people.iter().for_each(|person| self.meter.note_seen(person.client.replica().len()));
        }
    }

    fn tick(&mut self) {
        self.host.receive(self.now, &self.inbound);
        self.inbound.clear();
        let (meter, is_measured) = (&mut self.meter, self.began.is_some());
        self.host.run_due(self.now, &mut self.outbound, |_, instance| {
            if is_measured {
                meter.note_tick(instance.tick_time(), &instance.totals());
            }
        });
        if let (Some(ladder), true) = (self.host.ladder(WORLD), is_measured) {
            self.meter.note_rung(ladder.rung());
        }
        let shard = self.outbound.shard(0);
        self.connections.begin(self.now, shard);
        self.connections.send_frames(self.now, shard, 0..shard.frame_count());
        self.connections.finish(self.now, shard);
        self.outbound.clear();
    }
}
