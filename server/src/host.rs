//! The front door and the instances behind it.

use std::time::Duration;

use throng_shared::ids::InstanceId;
use throng_shared::wire::message::GoodbyeReason;

use crate::batch::{Arrival, InboundBatch, OutboundBatch};
use crate::clock::Pacer;
use crate::front_door::{Admission, Destination, FrontDoor};
use crate::instance::Instance;
use crate::net::{NetEvent, NetInbound};

/// Any number of worlds behind one front door. It has no clock and no sockets: whoever owns it says what time it is and
/// moves the bytes.
pub struct Host {
    front_door: FrontDoor,
    hosted: Vec<Hosted>,
}

struct Hosted {
    instance: Instance,
    inbound: InboundBatch,
    pacer: Pacer,
    ticks_given_up: u64,
}

impl Host {
    /// Hosts `instances`, whose numbers on tokens are their places here. Their first ticks are due one tick length after
    /// `now`.
    pub fn new(instances: Vec<Instance>, now: Duration) -> Host {
        let destinations = instances.iter().map(|instance| Destination {
            world_name: instance.name().to_owned(),
            world_hash: instance.world_hash(),
            players_max: instance.players_max(),
        });
        Host {
            front_door: FrontDoor::new(destinations.collect()),
            hosted: instances
                .into_iter()
                .map(|instance| Hosted {
                    pacer: Pacer::new(instance.tick_rate(), now),
                    inbound: InboundBatch::default(),
                    ticks_given_up: 0,
                    instance,
                })
                .collect(),
        }
    }

    /// When the next tick of any instance is due; never, when there is none.
    pub fn next_due(&self) -> Option<Duration> {
        self.hosted.iter().map(|hosted| hosted.pacer.next_due()).min()
    }

    /// Lets in who may come in, and gives each instance what is meant for it. To be called before [`Host::run_due`].
    pub fn receive(&mut self, now: Duration, inbound: &NetInbound, outbound: &mut OutboundBatch) {
        outbound.heard_until = inbound.heard_until;
        for event in &inbound.events {
            match event {
                NetEvent::Frame { client, received_at, bytes } => {
                    if let Some(instance) = self.front_door.instance_of(*client) {
                        let hosted = &mut self.hosted[usize::from(instance.0)];
                        hosted.inbound.push_frame(*client, *received_at, inbound.bytes(bytes));
                    }
                }
                NetEvent::Message { bytes, .. } => {
                    let admission = self.front_door.handle(now, event, inbound.bytes(bytes), outbound);
                    self.pass_on(admission);
                }
                _ => {
                    let admission = self.front_door.handle(now, event, &[], outbound);
                    self.pass_on(admission);
                }
            }
        }
        self.front_door.dismiss_silent(now, outbound);
    }

    /// Runs every tick that is due, and calls `ticked` after each.
    pub fn run_due(
        &mut self,
        now: Duration,
        outbound: &mut OutboundBatch,
        mut ticked: impl FnMut(InstanceId, &Instance),
    ) {
        for (number, hosted) in self.hosted.iter_mut().enumerate() {
            let due = hosted.pacer.take_due(now);
            hosted.ticks_given_up += u64::from(due.given_up);
            for _ in 0..due.run {
                hosted.inbound.tick_begins_at = now;
                hosted.instance.tick(&mut hosted.inbound, outbound);
                ticked(InstanceId(number as u16), &hosted.instance);
            }
        }
    }

    /// Tells everybody that it is over.
    pub fn say_goodbye(&mut self, outbound: &mut OutboundBatch) {
        self.front_door.dismiss_all(GoodbyeReason::ServerStopping, outbound);
    }

    /// The instances, in the order of their numbers.
    pub fn instances(&self) -> impl ExactSizeIterator<Item = &Instance> {
        self.hosted.iter().map(|hosted| &hosted.instance)
    }

    /// An instance, to be changed between ticks.
    pub fn instance_mut(&mut self, id: InstanceId) -> Option<&mut Instance> {
        self.hosted.get_mut(usize::from(id.0)).map(|hosted| &mut hosted.instance)
    }

    /// Deadlines that were missed for good, all instances together.
    pub fn ticks_given_up(&self) -> u64 {
        self.hosted.iter().map(|hosted| hosted.ticks_given_up).sum()
    }

    /// Clients that were not let in.
    pub fn refusals(&self) -> u64 {
        self.front_door.refusals()
    }

    fn pass_on(&mut self, admission: Option<Admission>) {
        let (instance, arrival) = match admission {
            Some(Admission::Join(instance, client, name)) => (instance, Arrival::Joined { client, name }),
            Some(Admission::Leave(instance, client)) => (instance, Arrival::Left { client }),
            None => return,
        };
        let inbound = &mut self.hosted[usize::from(instance.0)].inbound;
        if let Arrival::Left { client } = arrival {
            inbound.forget_frames(client);
        }
        inbound.arrivals.push(arrival);
    }
}
