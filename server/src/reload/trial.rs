//! Whether a world that was changed keeps to its limits.

use std::time::Duration;

use serde::Serialize;
use throng_shared::config::ApplySettings;

use crate::plan::quantile_ms;

/// How often limits are judged. The first time after a change is left out: everybody is told much anew then.
pub(super) const WINDOW: Duration = Duration::from_secs(5);

/// Ticks of a window that are timed; of more, which no rate reaches, the first.
const TICKS_TIMED_MAX: usize = 4_096;

/// What a world was like in a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub(super) struct WindowFigures {
    /// All but one of a hundred ticks took no longer, in milliseconds.
    pub(super) tick_ms_p99: f64,
    /// Bytes of snapshots per client and second.
    pub(super) client_bytes_per_s: f64,
    /// Players at its end.
    pub(super) players: u64,
}

/// What is known of a world after a tick.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct TickCounts {
    /// How long the tick took.
    pub(super) took: Duration,
    /// Players in the world.
    pub(super) players: u64,
    /// Bytes of snapshots since the world began.
    pub(super) snapshot_bytes: u64,
}

/// What has come of a trial.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It goes on.
    Pending,
    /// It has been watched long enough.
    Kept,
    /// A limit has broken; which, for people.
    Broken(String),
}

/// A world that is watched since it was changed.
#[derive(Debug)]
pub(super) struct Trial {
    limits: ApplySettings,
    began: Duration,
    players_at_start: u64,
    window: Window,
    windows: u32,
    /// Of the last whole window, once there is one.
    pub(super) figures: Option<WindowFigures>,
}

#[derive(Debug)]
struct Window {
    began: Duration,
    snapshot_bytes: u64,
    ticks_us: Vec<u32>,
    ticks: u64,
    players: u64,
}

impl Window {
    fn new(began: Duration, snapshot_bytes: u64) -> Window {
        Window { began, snapshot_bytes, ticks_us: Vec::new(), ticks: 0, players: 0 }
    }
}

impl Trial {
    /// A world that was changed at `now`, when it had so many players and bytes.
    pub(super) fn begin(limits: ApplySettings, now: Duration, counts: TickCounts) -> Trial {
        Trial {
            limits,
            began: now,
            players_at_start: counts.players,
            window: Window::new(now, counts.snapshot_bytes),
            windows: 0,
            figures: None,
        }
    }

    /// How long the trial goes on yet.
    pub(super) fn left(&self, now: Duration) -> Duration {
        (self.began + self.watch()).saturating_sub(now)
    }

    fn watch(&self) -> Duration {
        Duration::from_secs(self.limits.watch_s.into())
    }

    /// Takes in a tick that began at `now`. A limit breaks when a whole window is beyond it.
    pub(super) fn note_tick(&mut self, now: Duration, counts: TickCounts) -> Verdict {
        let window = &mut self.window;
        if window.ticks_us.len() < TICKS_TIMED_MAX {
            window.ticks_us.push(counts.took.as_micros().min(u128::from(u32::MAX)) as u32);
        }
        window.ticks += 1;
        window.players += counts.players;
        if now < window.began + WINDOW {
            return Verdict::Pending;
        }
        window.ticks_us.sort_unstable();
        let bytes = counts.snapshot_bytes.saturating_sub(window.snapshot_bytes) as f64;
        let client_seconds = (now - window.began).as_secs_f64() * window.players as f64 / window.ticks as f64;
        let figures = WindowFigures {
            tick_ms_p99: quantile_ms(&window.ticks_us, 99),
            client_bytes_per_s: if client_seconds > 0.0 { bytes / client_seconds } else { 0.0 },
            players: counts.players,
        };
        self.window = Window::new(now, counts.snapshot_bytes);
        self.windows += 1;
        self.figures = Some(figures);
        match self.broken_limit(&figures) {
            Some(broken) if self.windows > 1 => Verdict::Broken(broken),
            _ if now >= self.began + self.watch() => Verdict::Kept,
            _ => Verdict::Pending,
        }
    }

    /// The first limit that a window is beyond, with its key, what it was and what it may be.
    fn broken_limit(&self, figures: &WindowFigures) -> Option<String> {
        let limits = &self.limits;
        let tick = limits.tick_ms_p99_max.filter(|&max| figures.tick_ms_p99 > f64::from(max));
        let bytes = limits.client_bytes_per_s_max.filter(|&max| figures.client_bytes_per_s > f64::from(max));
        let lost = self.players_at_start.saturating_sub(figures.players);
        let lost_percent = 100.0 * lost as f64 / self.players_at_start.max(1) as f64;
        let players = limits.players_lost_percent_max.filter(|&max| lost_percent > f64::from(max));
        tick.map(|max| format!("apply.tick_ms_p99_max = {max}: ticks took {:.3} ms", figures.tick_ms_p99))
            .or_else(|| {
                bytes.map(|max| {
                    let bytes = figures.client_bytes_per_s;
                    format!("apply.client_bytes_per_s_max = {max}: each client was sent {bytes:.0} bytes per second")
                })
            })
            .or_else(|| {
                players.map(|max| {
                    let (players, before) = (figures.players, self.players_at_start);
                    format!("apply.players_lost_percent_max = {max}: of {before} players {players} are left")
                })
            })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: ApplySettings = ApplySettings {
        is_enabled: true,
        watch_s: 20,
        tick_ms_p99_max: Some(10.0),
        client_bytes_per_s_max: Some(1_000),
        players_lost_percent_max: Some(50),
    };

    /// How a world fares in a second of 20 ticks: how long they take, how many players there are, what each is sent.
    type Second = (u64, u64, u64);

    /// Runs a trial of a world with 10 players; returns the verdict and the second in which it came.
    fn verdict(limits: ApplySettings, seconds: impl Fn(u64) -> Second) -> (u64, Verdict) {
        let mut counts = TickCounts { players: 10, ..TickCounts::default() };
        let mut trial = Trial::begin(limits, Duration::ZERO, counts);
        for tick in 1..=20 * 100 {
            let (took_ms, players, bytes_per_s) = seconds(tick / 20);
            counts.took = Duration::from_millis(took_ms);
            counts.players = players;
            counts.snapshot_bytes += players * bytes_per_s / 20;
            match trial.note_tick(Duration::from_millis(50 * tick), counts) {
                Verdict::Pending => {}
                verdict => return (tick / 20, verdict),
            }
        }
        (100, Verdict::Pending)
    }

    #[test]
    fn who_keeps_to_the_limits_is_kept_when_the_time_is_over() {
        assert_eq!(verdict(LIMITS, |_| (10, 5, 1_000)), (20, Verdict::Kept));
        let none = ApplySettings { is_enabled: true, watch_s: 12, ..ApplySettings::default() };
        assert_eq!(verdict(none, |_| (900, 0, 99_999)), (15, Verdict::Kept), "with the end of a window");
    }

    #[test]
    fn each_limit_breaks_with_the_first_whole_window_beyond_it() {
        let cases: [(Second, u64, &str); 3] = [
            ((11, 10, 500), 10, "apply.tick_ms_p99_max = 10: ticks took 11.000 ms"),
            ((5, 10, 1_200), 10, "apply.client_bytes_per_s_max = 1000: each client was sent 1200 bytes per second"),
            ((5, 4, 500), 10, "apply.players_lost_percent_max = 50: of 10 players 4 are left"),
        ];
        for (second, at, text) in cases {
            assert_eq!(verdict(LIMITS, |_| second), (at, Verdict::Broken(text.to_owned())));
        }
        let (at, verdict) = verdict(LIMITS, |second| if second < 12 { (5, 10, 500) } else { (30, 10, 500) });
        assert!(at == 15 && matches!(verdict, Verdict::Broken(_)), "{at} {verdict:?}");
    }

    #[test]
    fn the_first_window_is_not_judged_and_neither_is_one_tick_in_a_hundred() {
        assert_eq!(verdict(LIMITS, |second| if second < 5 { (40, 10, 9_000) } else { (5, 10, 500) }).1, Verdict::Kept);
        let mut trial = Trial::begin(LIMITS, Duration::ZERO, TickCounts { players: 10, ..TickCounts::default() });
        let verdicts = (1..=400_u64).map(|tick| {
            let took = Duration::from_millis(if tick.is_multiple_of(100) { 80 } else { 5 });
            let counts = TickCounts { took, players: 10, ..TickCounts::default() };
            trial.note_tick(Duration::from_millis(50 * tick), counts)
        });
        let last = verdicts.filter(|verdict| *verdict != Verdict::Pending).last();
        assert_eq!(last, Some(Verdict::Kept));
    }
}
