//! Ways are found beside the tick: bots ask in one tick and are told in the next, whatever the threads do meanwhile.

use std::any::Any;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::{fmt, mem};

use bevy_ecs::prelude::{Entity, Query, Res, ResMut, Resource};
use glam::Vec2;
use throng_shared::ids::NetId;
use throng_shared::tick::Tick;

use super::{Habit, Navigation, Route, Scratch, Way};
use crate::mind::BotMind;
use crate::steer::Steering;
use crate::world::BotWorld;

/// How many cells are looked at between two ticks; what is asked beyond that waits. About 3 ms of one thread.
const CELLS_PER_TICK: u32 = 24_576;
/// What a way costs besides the cells that are looked at.
const CELLS_PER_WAY: u32 = 64;
/// Most ways that are begun between two ticks.
const BATCH_MAX: usize = 256;
/// Of how many who wait it is looked in a tick whether they still want it.
const LOOKED_THROUGH_MAX: usize = 4_096;
/// Most bots that wait for a way; who asks when there are so many is not heard, and asks again.
const WAITING_MAX: usize = 65_536;

/// Where somebody wants to go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Destination {
    pub(crate) position_m: Vec2,
    /// Which of the places of the world file it is.
    pub(crate) place: Option<u32>,
}

/// A bot that asks for a way.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) entity: Entity,
    pub(crate) net_id: NetId,
    pub(crate) from_m: Vec2,
    pub(crate) to: Destination,
    /// When it took the goal for which it asks.
    pub(crate) goal_started: Tick,
    /// When it asked.
    pub(crate) asked: Tick,
}

/// How many ways were asked for and found, since the beginning.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RouteCounts {
    /// Asked for.
    pub asked: u64,
    /// Found, to their end or as far as they were looked at.
    pub found: u64,
    /// Found to where it is nearer, but no farther.
    pub in_part: u64,
    /// Looked for in vain.
    pub dead_ends: u64,
    /// Not heard, because too many were waiting.
    pub unheard: u64,
    /// Waiting in this tick.
    pub waiting: u64,
}

/// Takes what bots ask, and has it answered until the next tick.
#[derive(Debug, Default, Resource)]
pub struct RoutePlanner {
    /// What was asked in this tick, in the order of the threads.
    asked: Mutex<Vec<Asked>>,
    /// What waits, in the order in which it is answered.
    waiting: VecDeque<Asked>,
    /// Between [`plan_routes`] and [`hand_over_routes`].
    work: Option<Box<Work>>,
    desk: Arc<Desk>,
    /// Whose places those who wait mean.
    navigation: Option<Arc<Navigation>>,
    counts: RouteCounts,
}

/// The work between two ticks.
#[derive(Debug, Default)]
struct Work {
    batch: VecDeque<Asked>,
    answered: Vec<(Asked, Way)>,
    scratch: Scratch,
}

/// Where the work lies that a tick hands over and the next one takes back.
#[derive(Debug, Default)]
struct Desk {
    state: Mutex<Lying>,
    is_done: Condvar,
    /// Whether a job waits that will look for work.
    is_called: AtomicBool,
}

#[derive(Debug, Default)]
enum Lying {
    /// The tick has it.
    #[default]
    Nothing,
    /// Nobody has begun.
    Untouched(Box<Work>, Arc<Navigation>),
    /// Somebody is at it.
    InHand,
    Done(Box<Work>),
    Failed(Failure),
}

/// Why the work was not done.
struct Failure(Box<dyn Any + Send>);

impl fmt::Debug for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Failure")
    }
}

impl RoutePlanner {
    /// How many ways were asked for and found.
    pub fn counts(&self) -> RouteCounts {
        self.counts
    }

    /// Asks for a way. In which order it is done within a tick does not matter.
    pub(crate) fn ask(&self, asked: Asked) {
        lock(&self.asked).push(asked);
    }

    /// Puts what was asked in this tick behind what waits, in the order of the names.
    fn queue(&mut self) {
        let asked = self.asked.get_mut().unwrap_or_else(PoisonError::into_inner);
        asked.sort_unstable_by_key(|asked| asked.net_id);
        let room = WAITING_MAX.saturating_sub(self.waiting.len());
        self.counts.asked += asked.len() as u64;
        self.counts.unheard += asked.len().saturating_sub(room) as u64;
        self.waiting.extend(asked.drain(..).take(room));
    }

    /// Whether there are other places than in the last tick. Which of them those mean who wait is forgotten then: they are searched for instead.
    fn has_other_places(&mut self, navigation: &Arc<Navigation>) -> bool {
        if self.navigation.as_ref().is_some_and(|known| Arc::ptr_eq(known, navigation)) {
            return false;
        }
        self.waiting.iter_mut().for_each(|asked| asked.to.place = None);
        self.navigation = Some(Arc::clone(navigation));
        true
    }
}

/// Tells bots the ways that they asked for, and takes what they have asked for in this tick.
pub fn plan_routes(
    tick: Res<Tick>,
    world: Res<BotWorld>,
    mut planner: ResMut<RoutePlanner>,
    mut bots: Query<(&mut BotMind, &mut Steering)>,
) {
    let planner = &mut *planner;
    let mut work = planner.desk.take_back();
    for (asked, way) in work.answered.drain(..) {
        planner.counts.found += u64::from(way.is_whole);
        planner.counts.in_part += u64::from(!way.is_whole && !way.is_dead_end);
        planner.counts.dead_ends += u64::from(way.is_dead_end);
        // Whoever is gone, or wants something else by now, has no use for it.
        let Ok((mut mind, mut steering)) = bots.get_mut(asked.entity) else { continue };
        if mind.is_waiting_for(&asked) {
            mind.be_patient_for(&world, *tick, way.length_m);
            steering.route = Route::new(asked.goal_started, &way);
        }
    }
    // What was not come to goes before what is new.
    work.batch.drain(..).rev().for_each(|asked| planner.waiting.push_front(asked));
    if planner.has_other_places(&world.navigation) {
        work.scratch.asked.clear();
    }
    planner.queue();
    let is_wanted = |asked: &Asked| bots.get(asked.entity).is_ok_and(|(mind, _)| mind.is_waiting_for(asked));
    for _ in 0..LOOKED_THROUGH_MAX {
        if work.batch.len() == BATCH_MAX {
            break;
        }
        let Some(asked) = planner.waiting.pop_front() else { break };
        if is_wanted(&asked) {
            work.batch.push_back(asked);
        }
    }
    planner.counts.waiting = (planner.waiting.len() + work.batch.len()) as u64;
    planner.work = Some(work);
}

/// Has the ways found that were asked for. At the end of a tick, so that a thread which is still busy with it does not take this up meanwhile.
pub fn hand_over_routes(world: Res<BotWorld>, mut planner: ResMut<RoutePlanner>) {
    let planner = &mut *planner;
    if let Some(work) = planner.work.take() {
        Desk::hand_over(&planner.desk, work, &world.navigation);
    }
}

impl Work {
    /// Answers what waits, in order, until enough is done.
    fn run(&mut self, navigation: &Navigation) {
        let mut left = CELLS_PER_TICK;
        while left > 0
            && let Some(asked) = self.batch.pop_front()
        {
            let way = navigation.find(asked.from_m, asked.to, Habit::of(asked.net_id), &mut self.scratch);
            left = left.saturating_sub(way.cells + CELLS_PER_WAY);
            self.answered.push((asked, way));
        }
    }
}

impl Desk {
    /// Lays work down for whichever thread is free first. Where there is but one, or one that was called has not come yet, nobody is called: the
    /// next tick does it then.
    fn hand_over(desk: &Arc<Desk>, work: Box<Work>, navigation: &Arc<Navigation>) {
        if work.batch.is_empty() {
            *lock(&desk.state) = Lying::Done(work);
            return;
        }
        *lock(&desk.state) = Lying::Untouched(work, Arc::clone(navigation));
        if rayon::current_num_threads() > 1 && !desk.is_called.swap(true, AcqRel) {
            let desk = Arc::clone(desk);
            rayon::spawn(move || {
                desk.is_called.store(false, Release);
                desk.work_off();
            });
        }
    }

    /// Does the work, if there is any and nobody has begun.
    fn work_off(&self) {
        let (mut work, navigation) = {
            let mut state = lock(&self.state);
            match mem::replace(&mut *state, Lying::InHand) {
                Lying::Untouched(work, navigation) => (work, navigation),
                other => {
                    *state = other;
                    return;
                }
            }
        };
        let outcome = catch_unwind(AssertUnwindSafe(|| work.run(&navigation)));
        *lock(&self.state) = match outcome {
            Ok(()) => Lying::Done(work),
            Err(failure) => Lying::Failed(Failure(failure)),
        };
        self.is_done.notify_all();
    }

    /// Takes the work back when it is done, and does it at once if nobody has begun. Who is at it waits for no other thread, so that
    /// this never waits for itself.
    fn take_back(&self) -> Box<Work> {
        self.work_off();
        let mut state = lock(&self.state);
        loop {
            match mem::take(&mut *state) {
                Lying::Done(work) => return work,
                Lying::Nothing => return Box::default(),
                Lying::Failed(Failure(failure)) => {
                    drop(state);
                    resume_unwind(failure)
                }
                in_hand => *state = in_hand,
            }
            state = self.is_done.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
