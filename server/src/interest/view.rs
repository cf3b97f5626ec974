//! What one client is told of: pages, what of each has arrived, and what is due.

use glam::Vec2;
use throng_shared::ids::NetId;
use throng_shared::limits::{ENDS_PER_SNAPSHOT_MAX, LOSS_AFTER_MS, LOSS_AFTER_TICKS_MIN};
use throng_shared::memory::{fetch, fetch_all};
use throng_shared::tick::{Tick, TickRate};
use throng_shared::wire::crowd::CrowdScan;
use throng_shared::wire::inputs::SnapshotAcks;
use throng_shared::wire::page::NEWCOMER_BYTES;
use throng_shared::wire::snapshot::{HEADER_BYTES, PAGES_MAX, Snapshot, SnapshotHeader};

use super::InterestRules;
use super::budget::{Budget, Heard};
use super::guests::{GUEST_MS, Guests};
use super::ledger::{Ledger, ViewCounts};
use super::numbers::Numbers;
use super::tiers::{Turn, Turns};
use crate::pages::{Block, Glance, Pages, Viewer};

/// One client's view. Its memory grows to what its surroundings need and is then used again.
#[derive(Debug)]
pub struct ClientView {
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) endings: Vec<Ending>,
    pub(super) numbers: Numbers,
    /// The tick that the bits below, and those of subscriptions and endings, are counted back from: bit n is n ticks earlier.
    pub(super) now: Tick,
    /// Ticks whose snapshot was sent.
    sent: u64,
    /// Ticks whose snapshot has arrived.
    arrived: u64,
    acks: SnapshotAcks,
    loss_after_ticks: u32,
    budget: Budget,
    /// What is due this tick, in the order in which it is written.
    planned: Vec<Planned>,
    /// Whether the last snapshot was full.
    was_full: bool,
    /// Characters of all pages in view, as they were last looked at.
    pub(super) characters: u32,
    /// Whether they are more than may be.
    pub(super) is_crowded: bool,
    /// Whether pages in reach were left out.
    pub(super) is_cut: bool,
    /// Whether a cell in reach is split.
    pub(super) is_in_crowd: bool,
    /// Whether it was last looked from several places, or for somebody in particular.
    pub(super) saw_more: bool,
    /// Pages in reach that were left out, rising.
    pub(super) left_out: Vec<u32>,
    /// Those of them that have their turn to be told one by one.
    pub(super) guests: Guests,
    /// How far the crowd was told: behind this key it goes on.
    crowd_after: u32,
    /// Whether the client may know of a crowd.
    has_crowd: bool,
    /// Ticks whose snapshot said that there is none any more.
    crowd_ended: u64,
    /// Where, and at which turn of the pages, it was last looked for subscriptions.
    pub(super) looked: Option<(Vec2, u64)>,
    own: OwnNews,
    /// What decides which secrets the client may know.
    pub(super) viewer: Viewer,
    /// How often the link was found to be congested, and snapshots given up as lost, since that was last told.
    congestions: u32,
    snapshots_lost: u32,
    ledger: Ledger,
}

/// What a client knows of the attributes of its own character.
#[derive(Clone, Copy, Debug)]
struct OwnNews {
    /// The tick up to which it knows all; 0 for none.
    base: Tick,
    /// Ticks whose snapshot told of them.
    carried: u64,
    is_due: bool,
}

/// A page that a client is told of. Small, for all of a view's are gone through in every tick.
#[derive(Clone, Copy, Debug)]
pub(super) struct Subscription {
    pub(super) page: u32,
    /// Newest tick that the client has the page of, or of an earlier one since which nothing has changed; 0 for none.
    pub(super) base: Tick,
    /// Ticks whose snapshot carried it.
    pub(super) carried: u64,
    pub(super) distance_squared_m2: f32,
    /// When it was last told or found to be at rest, or else when it began.
    pub(super) waits_since: Tick,
    pub(super) number: u8,
    pub(super) tier: u8,
    /// The number of the page's area modulo its tier's period: when that is the tick's, it has its turn.
    pub(super) phase: u8,
    /// Characters that it had when it was last looked at.
    pub(super) characters: u8,
    pub(super) was_told: bool,
}

const _: () = assert!(size_of::<Subscription>() <= 32);

/// A page that the client is told of no longer, and does not know that yet.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ending {
    pub(super) carried: u64,
    pub(super) number: u8,
}

/// A page that is to be told. It has all that writing needs of the subscription, so that those stay where they are until the next tick, which
/// goes through them anyway.
#[derive(Clone, Copy, Debug)]
struct Planned {
    page: u32,
    /// Smaller goes first; reckoned only when not all have room, and before that the number of whole copies under way.
    rank: f32,
    /// Its subscription.
    place: u8,
    /// Age of its baseline; 0 for none.
    age_ticks: u8,
    number: u8,
    tier: u8,
    was_told: bool,
    is_written: bool,
}

const _: () = assert!(size_of::<Planned>() <= 16 && PAGES_MAX <= 1 << u8::BITS);

/// Pages that most views have no more of, so that memory is asked for once.
const PAGES_USUAL: usize = 24;

/// Copies of a state under way at which nothing more is sent until they are lost: one may be lost, and that is noticed
/// only after a round trip.
const COPIES_UNDER_WAY: u32 = 2;

/// Bytes that a stretch of a crowd takes, of keys that follow closely.
const CROWD_BYTES_USUAL: usize = 68;

/// Bytes that own attributes take.
const OWN_BYTES_USUAL: usize = 6;

/// How many pages are looked up before the first of them is copied: what has to come from far away comes together.
const LOOK_AHEAD: usize = 8;

/// Distances much below this are all the same to urgency, in metres.
const NEAR_M: f32 = 10.0;

impl ClientView {
    /// A view of nothing, in a world of this rate.
    pub fn new(rate: TickRate) -> ClientView {
        ClientView {
            subscriptions: Vec::with_capacity(PAGES_USUAL),
            endings: Vec::with_capacity(PAGES_USUAL),
            numbers: Numbers::default(),
            now: Tick(0),
            sent: 0,
            arrived: 0,
            acks: SnapshotAcks::default(),
            loss_after_ticks: rate.ticks_for_ms(LOSS_AFTER_MS).max(LOSS_AFTER_TICKS_MIN),
            budget: Budget::new(),
            planned: Vec::with_capacity(PAGES_USUAL),
            was_full: false,
            characters: 0,
            is_crowded: false,
            is_cut: false,
            is_in_crowd: false,
            saw_more: false,
            left_out: Vec::new(),
            guests: Guests::new(rate.ticks_for_ms(GUEST_MS)),
            crowd_after: 0,
            has_crowd: false,
            crowd_ended: 0,
            looked: None,
            own: OwnNews { base: Tick(0), carried: 0, is_due: false },
            viewer: Viewer::default(),
            congestions: 0,
            snapshots_lost: 0,
            ledger: Ledger::default(),
        }
    }

    /// Looks for subscriptions anew with the next tick: the rules have changed.
    pub(crate) fn look_anew(&mut self) {
        self.looked = None;
    }

    /// What was heard of the client's link no longer holds.
    pub(crate) fn forget_route(&mut self) {
        self.budget.forget_route();
    }

    /// Has its subscriptions brought near; see [`throng_shared::memory::fetch`].
    pub(crate) fn fetch(&self) {
        fetch_all(&self.subscriptions);
        self.fetch_planned();
    }

    /// Has it brought near, but for what stands elsewhere: fields some lines of memory apart, for a line cannot be named, and those whose own memory is asked for next.
    pub(crate) fn fetch_lines(&self) {
        fetch(&self.looked);
        fetch(&self.subscriptions);
        fetch(&self.planned);
        fetch(&self.viewer);
        fetch(&self.arrived);
        fetch(&self.now);
        fetch(&self.crowd_after);
        fetch(&self.was_full);
    }

    /// Has the ledger brought near.
    pub(crate) fn fetch_ledger(&self) {
        fetch(&self.ledger.own_bytes);
        fetch(&self.ledger.pages);
    }

    /// Has what is planned brought near.
    pub(crate) fn fetch_planned(&self) {
        fetch_all(&self.planned);
    }

    /// Goes on to `tick`.
    pub(crate) fn advance(&mut self, tick: Tick) {
        self.note_written();
        let ticks = tick.since(self.now);
        self.now = tick;
        let shift = |bits: &mut u64| *bits = bits.checked_shl(ticks).unwrap_or(0);
        shift(&mut self.sent);
        shift(&mut self.arrived);
        shift(&mut self.crowd_ended);
        shift(&mut self.own.carried);
        self.subscriptions.iter_mut().for_each(|subscription| shift(&mut subscription.carried));
        self.endings.iter_mut().for_each(|ending| shift(&mut ending.carried));
    }

    /// Notes in the subscriptions what the last snapshot has told.
    fn note_written(&mut self) {
        for planned in self.planned.drain(..).filter(|planned| planned.is_written) {
            let subscription = &mut self.subscriptions[usize::from(planned.place)];
            subscription.carried |= 1;
            // Written only once: what was just written in part cannot be read with what is beside it without waiting.
            if !subscription.was_told {
                subscription.was_told = true;
            }
            subscription.waits_since = self.now;
        }
    }

    /// Whether the last snapshot has told of a page; its subscription does not say so yet.
    pub(super) fn is_just_told(&self, page: u32) -> bool {
        self.planned.iter().any(|planned| planned.page == page && planned.is_written)
    }

    /// Takes note of what has arrived.
    pub(crate) fn acknowledge(&mut self, acks: &SnapshotAcks, rules: &InterestRules) {
        if *acks == self.acks {
            return;
        }
        let age_ticks = self.now.since(acks.newest);
        let before = u64::from(acks.before) << 1 | 1;
        let arrived = before.checked_shl(age_ticks).unwrap_or(0) & self.sent & !self.arrived;
        self.arrived |= arrived;
        let lost = self.newly_lost(acks.newest);
        self.snapshots_lost += lost;
        let heard = Heard { arrived: arrived.count_ones(), lost, round_trip_ticks: age_ticks };
        self.congestions += u32::from(self.budget.hear(heard, rules.delay_ticks));
        self.acks = *acks;
        self.has_crowd &= self.crowd_ended & self.arrived == 0;
        let known = self.own.carried & self.arrived;
        if known != 0 {
            self.own.base = self.own.base.max(self.now - known.trailing_zeros());
        }
        for subscription in &mut self.subscriptions {
            let known = subscription.carried & self.arrived;
            if known != 0 {
                subscription.base = subscription.base.max(self.now - known.trailing_zeros());
            }
        }
        self.endings.retain(|ending| {
            let is_known = ending.carried & self.arrived != 0;
            if is_known {
                self.numbers.give_back(ending.number);
            }
            !is_known
        });
    }

    /// How many snapshots are lost for certain now that `newest` has arrived, and were not before.
    fn newly_lost(&self, newest: Tick) -> u32 {
        let older_than = |tick: Tick| !up_to(self.now.since(tick - self.loss_after_ticks));
        (self.sent & !self.arrived & older_than(newest) & !older_than(self.acks.newest)).count_ones()
    }

    /// Takes every snapshot that was not acknowledged for lost.
    pub(crate) fn lose_all(&mut self) {
        self.note_written();
        self.sent = 0;
        self.crowd_ended = 0;
        self.own.carried = 0;
        self.budget.forget_route();
        self.subscriptions.iter_mut().for_each(|subscription| subscription.carried = 0);
        self.endings.iter_mut().for_each(|ending| ending.carried = 0);
    }

    /// Decides which pages are due, and asks for them.
    ///
    /// A page has its turn once in the period of its tier, in the same tick for all who have it in that tier, and at once for the first
    /// time and when somebody came or went. Then it is due when anything in it has changed since it was last sent, once more after that, and when everything
    /// that was sent of it since is lost. When not all fit, the most urgent are asked for: urgency is nearness times the time
    /// waited, so that whoever waits overtakes everybody in the end.
    pub(crate) fn plan(&mut self, pages: &Pages, rules: &InterestRules) {
        self.planned.clear();
        let not_lost = self.arrived | up_to(self.now.since(self.acks.newest - self.loss_after_ticks));
        let age_max = pages.baseline_age_ticks_max();
        let mut needed_bytes = 0;
        let turns = rules.tiers.turns(self.now);
        let (has_secrets, viewer) = (pages.has_secrets(), self.viewer);
        self.budget.begin_tick(rules.bytes_per_tick);
        for (place, subscription) in self.subscriptions.iter_mut().enumerate() {
            let glance = pages.glance(subscription.page);
            pages.watch(subscription.page);
            let may_know = || glance.is_for_everybody || pages.head(subscription.page).audience.admits(&viewer);
            if !subscription.has_turn(self.now, not_lost, glance, &turns) || !may_know() {
                continue;
            }
            let &Glance { occupants, mut changed, .. } = glance;
            if occupants != subscription.characters {
                self.characters = self.characters + u32::from(occupants) - u32::from(subscription.characters);
                subscription.characters = occupants;
            }
            if has_secrets && pages.has_team_news(subscription.page, subscription.base, &viewer) {
                changed = changed.max(pages.head(subscription.page).team_changed).max(viewer.team_since);
            }
            if glance.is_as_at(subscription.base, changed) {
                // What the client has is what there is now, so that this tick is as good a baseline.
                (subscription.base, subscription.waits_since) = (self.now, self.now);
                continue;
            }
            let since_change = up_to(self.now.since(changed));
            let under_way = (subscription.carried & since_change & not_lost).count_ones();
            if !subscription.was_told && occupants == 0 {
                // There is nothing to tell yet.
                subscription.waits_since = self.now;
                continue;
            }
            if under_way >= COPIES_UNDER_WAY {
                continue;
            }
            let has_baseline = subscription.base > Tick(0) && self.now.since(subscription.base) <= age_max;
            let age_ticks = if has_baseline { self.now.since(subscription.base) as u8 } else { 0 };
            needed_bytes += match has_baseline {
                true => 1 + usize::from(glance.length_bytes),
                false => NEWCOMER_BYTES * (1 + usize::from(occupants)),
            };
            let whole_copies = if has_baseline { 0 } else { (subscription.carried & not_lost).count_ones() };
            self.planned.push(Planned {
                page: subscription.page,
                rank: whole_copies as f32,
                place: place as u8,
                age_ticks,
                number: subscription.number,
                tier: subscription.tier,
                was_told: subscription.was_told,
                is_written: false,
            });
        }
        self.plan_own(pages, not_lost);
        self.is_crowded = self.characters as usize > rules.visible_max + 1;
        if self.was_full || needed_bytes > self.room_bytes() {
            self.sort_by_urgency();
        }
        if !self.left_out.is_empty() {
            self.left_out.iter().for_each(|&page| pages.watch(page));
            (self.has_crowd, self.crowd_ended) = (true, 0);
            pages.want_crowd();
        }
        for planned in &self.planned {
            pages.want(planned.page, planned.age_ticks.into());
        }
    }

    /// The own attributes are due when any has changed since what the client knows, but for copies under way.
    fn plan_own(&mut self, pages: &Pages, not_lost: u64) {
        self.own.is_due = self.viewer.row.is_some_and(|row| {
            let changed = pages.attributes().own_changed(row);
            let under_way = self.own.carried & up_to(self.now.since(changed)) & not_lost;
            changed > self.own.base && under_way.count_ones() < COPIES_UNDER_WAY
        });
    }

    fn sort_by_urgency(&mut self) {
        for planned in &mut self.planned {
            let subscription = &self.subscriptions[usize::from(planned.place)];
            // Whole copies are large, and the first that arrives makes the others needless.
            let waited_ticks = (1 + self.now.since(subscription.waits_since)) as f32 / (1.0 + planned.rank);
            planned.rank = (subscription.distance_squared_m2 + NEAR_M * NEAR_M) / (waited_ticks * waited_ticks);
        }
        self.planned.sort_unstable_by(|a, b| a.rank.total_cmp(&b.rank).then(a.place.cmp(&b.place)));
    }

    /// What pages may take beside the rest.
    fn room_bytes(&self) -> usize {
        let crowd_bytes = if self.has_crowd { CROWD_BYTES_USUAL } else { 0 };
        let own_bytes = if self.own.is_due { OWN_BYTES_USUAL } else { 0 };
        let rest_bytes = HEADER_BYTES + 1 + self.endings.len().min(ENDS_PER_SNAPSHOT_MAX) + crowd_bytes + own_bytes;
        self.budget.snapshot_bytes().saturating_sub(rest_bytes)
    }

    /// Appends this tick's snapshot to `out`: pages that have ended, and the planned ones as far as there is room; and counts what has happened.
    ///
    /// When there is neither and the snapshot is not `is_wanted`, nothing is appended.
    #[expect(clippy::too_many_arguments, reason = "what is told, by what rules, and where it goes")]
    pub(crate) fn write_snapshot(
        &mut self,
        header: SnapshotHeader,
        fighter: &[u8],
        is_wanted: bool,
        pages: &Pages,
        rules: &InterestRules,
        out: &mut Vec<u8>,
        counts: &mut ViewCounts,
    ) {
        counts.congestions += std::mem::take(&mut self.congestions);
        counts.snapshots_lost += std::mem::take(&mut self.snapshots_lost);
        let start = out.len();
        self.was_full = false;
        if !(is_wanted || self.own.is_due) && self.planned.is_empty() && self.endings.is_empty() {
            return;
        }
        let schema = pages.attributes().schema();
        let (mut ends, mut end_count) = ([0; ENDS_PER_SNAPSHOT_MAX], 0);
        let ends_max = ENDS_PER_SNAPSHOT_MAX - fighter.len();
        for (end, ending) in ends.iter_mut().take(ends_max).zip(&mut self.endings) {
            *end = ending.number;
            ending.carried |= 1;
            end_count += 1;
        }
        let crowd = self.next_of_crowd(pages);
        counts.crowd_records += crowd.as_ref().map_or(0, |scan| scan.records().len() as u32);
        let own = self.viewer.row.filter(|_| self.own.is_due);
        let own = own.map(|row| pages.attributes().own_since(row, self.own.base));
        self.own.carried |= u64::from(own.is_some());
        let lengths =
            Snapshot { header, fighter, ends: &ends[..end_count], crowd, own, pages: &[] }.encode(schema, out);
        let mut ledger = Ledger {
            snapshots: 1,
            own_bytes: (HEADER_BYTES + fighter.len()) as u32 + 1,
            leave_bytes: end_count as u32,
            crowd_bytes: lengths.crowd_bytes as u32,
            own_attribute_bytes: lengths.own_bytes as u32,
            ..Ledger::default()
        };
        // More than fit take turns.
        self.endings.rotate_left(end_count);
        counts.leaves += end_count as u32;
        self.write_pages(pages, rules, start + self.budget.snapshot_bytes(), &mut ledger, out, counts);
        self.sent |= 1;
        self.budget.spend(out.len() - start);
        // Here, while it is in the cache.
        self.ledger.add(&ledger, rules.tiers.len());
        counts.ledger.add(&ledger, rules.tiers.len());
    }

    /// Appends the planned pages as far as there is room up to `pages_end`.
    fn write_pages(
        &mut self,
        pages: &Pages,
        rules: &InterestRules,
        mut pages_end: usize,
        ledger: &mut Ledger<u32>,
        out: &mut Vec<u8>,
        counts: &mut ViewCounts,
    ) {
        let schema = pages.attributes().schema();
        let pages_start = out.len();
        for planned in self.planned.chunks_mut(LOOK_AHEAD) {
            let mut blocks = [Block::EMPTY; LOOK_AHEAD];
            blocks.iter_mut().zip(&*planned).for_each(|(block, planned)| *block = pages.told(planned.page));
            blocks.iter().for_each(Block::fetch);
            for (block, planned) in blocks.iter().zip(planned) {
                let variant = block.variant(planned.age_ticks.into());
                let (start, mut team_bytes) = (out.len(), 0);
                let mut has_room = start + 1 + variant.length_bytes() <= pages_end;
                if has_room {
                    out.push(planned.number);
                    variant.append_to(out);
                    if schema.has_team() {
                        let end = out.len();
                        pages.append_team_part(planned.page, planned.age_ticks.into(), &self.viewer, out);
                        (has_room, team_bytes) = (out.len() <= pages_end, out.len() - end);
                    }
                }
                if !has_room {
                    out.truncate(start);
                    self.was_full = true;
                    if out.len() == pages_start && self.budget.is_saving() {
                        // For the most urgent the others wait, or it would never fit.
                        pages_end = pages_start;
                    }
                    let subscription = &self.subscriptions[usize::from(planned.place)];
                    counts.deferred += u32::from(subscription.characters);
                    if self.now.since(subscription.waits_since) >= rules.tiers.period_ticks(subscription.tier.into()) {
                        counts.late += u32::from(subscription.characters);
                    }
                    continue;
                }
                planned.is_written = true;
                let tier = &mut ledger.pages[usize::from(planned.tier)];
                let cause = match (planned.age_ticks, planned.was_told) {
                    (0, false) => &mut tier.enter_bytes,
                    (0, true) => &mut tier.resend_bytes,
                    _ => &mut tier.delta_bytes,
                };
                let attribute_bytes = variant.told.attribute_bytes;
                *cause += 1 + variant.length_bytes() as u32 - attribute_bytes;
                tier.attribute_bytes += attribute_bytes + team_bytes as u32;
                counts.enters += variant.told.enters;
                counts.updates += variant.told.updates;
                counts.leaves += variant.told.leaves;
            }
        }
    }

    /// The next stretch of the crowd, if there is one; or that there is none any more, until the client knows it.
    fn next_of_crowd(&mut self, pages: &Pages) -> Option<CrowdScan> {
        if !self.has_crowd {
            return None;
        }
        if self.left_out.is_empty() {
            self.crowd_after = 0;
            self.crowd_ended |= 1;
        }
        // Keys are one more than the pages' numbers, so that this is the first page behind the key.
        let next = self.left_out.partition_point(|&page| page < self.crowd_after);
        let mut scan = CrowdScan::new(self.crowd_after);
        let mut rest = self.left_out[next..].iter().filter_map(|&page| pages.summary(page));
        scan.is_last = rest.all(|summary| scan.push(*summary));
        self.crowd_after = if scan.is_last { 0 } else { scan.end() };
        Some(scan)
    }

    /// Everybody in the pages that the client is told of, `own` excepted.
    pub fn characters(&self, pages: &Pages, own: NetId) -> impl Iterator<Item = NetId> {
        let owners = self.subscriptions.iter().flat_map(|subscription| pages.owners(subscription.page));
        owners.map(|owner| owner.net_id).filter(move |net_id| *net_id != own)
    }

    /// Where the client's bytes have gone since it began knowing nothing, up to the last tick.
    pub fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Whether the client's link bears less than the world allows.
    pub fn is_held_back(&self) -> bool {
        self.budget.is_held_back()
    }
}

impl Subscription {
    /// Whether the page is looked at in this tick: once in the period of its tier, but at once while it was never told, when what was
    /// told last is lost, and when somebody came or went: whoever is missed in one page must be found in another.
    fn has_turn(&self, now: Tick, not_lost: u64, glance: &Glance, turns: &Turns) -> bool {
        let Turn { period_ticks, phase } = turns[usize::from(self.tier)];
        if period_ticks == 1 {
            return true;
        }
        let waited_ticks = now.since(self.waits_since);
        let is_lost = (self.carried & !not_lost).checked_shr(waited_ticks).unwrap_or(0) & 1 == 1;
        let is_common_turn = self.phase == phase;
        let has_new_owners = glance.owners_changed > self.waits_since;
        is_common_turn || is_lost || has_new_owners || !self.was_told || waited_ticks >= period_ticks
    }
}

/// The bits of ages up to this one.
fn up_to(age_ticks: u32) -> u64 {
    if age_ticks >= 63 { u64::MAX } else { (2 << age_ticks) - 1 }
}
