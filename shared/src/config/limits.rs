//! Every limit of the files that are read here. The policy is the same for all but the last: a file that goes beyond is
//! refused with an error that names the limit; nothing is cut silently.

/// Largest `world.toml` with all that it includes, in bytes.
pub const WORLD_FILE_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Most paths in one `include`.
pub const INCLUDES_MAX: usize = 16;

/// Most files that are included by one, directly or by others.
pub const INCLUDED_FILES_MAX: usize = 64;

/// Most files in a row of which each includes the next, without the first.
pub const INCLUDE_DEPTH_MAX: usize = 8;

/// Largest `abilities.toml` with all that it includes, in bytes.
pub const ABILITIES_FILE_BYTES_MAX: usize = 256 * 1024;

/// Most `[[ability]]` tables: inputs name one in eight bits.
pub const ABILITIES_MAX: usize = 255;

/// Most `[[safe_zone]]` tables.
pub const SAFE_ZONES_MAX: usize = 64;

/// Farthest that shots can be rewound, in milliseconds: for so long it is kept in memory where everybody was.
pub const REWIND_MS_MAX: u32 = 480;

/// Most samples along one side of a terrain, from a file or computed. Its square is held in memory as `f32`: 268 MB.
pub const TERRAIN_SIDE_MAX: usize = 8_193;

/// Largest terrain file, in bytes: the largest raw file, with room for a PNG whose samples do not compress.
pub const TERRAIN_FILE_BYTES_MAX: usize = 160 * 1024 * 1024;

/// Most `[[obstacle]]` tables.
pub const OBSTACLES_MAX: usize = 65_536;

/// Most `[[spawn]]` tables.
pub const SPAWN_AREAS_MAX: usize = 256;

/// Most `[[interest_tier]]` tables.
pub const INTEREST_TIERS_MAX: usize = 4;

/// Longest staleness of a tier, in milliseconds: in the fastest world the past of half a second is kept, which a round trip must
/// fit into besides.
pub const STALENESS_MS_MAX: u32 = 250;

/// Most `[[overload_rung]]` tables.
pub const OVERLOAD_RUNGS_MAX: usize = 8;

/// Most `[[bot_profile]]` tables.
pub const BOT_PROFILES_MAX: usize = 32;

/// Most bots that go together in a pack.
pub const PACK_SIZE_MAX: usize = 12;

/// Most `[[place]]` tables.
pub const PLACES_MAX: usize = 64;

/// Most characters that a world is to have, all its zones together.
pub const CHARACTERS_MAX: u32 = 100_000;

/// Most `[[zone]]` tables.
pub const ZONES_MAX: usize = 64;

/// Most `[[feature]]` tables.
pub const FEATURES_MAX: usize = 64;

/// Most `[[event]]` tables.
pub const EVENTS_MAX: usize = 64;

/// Most parts of a day that have a number of their own.
pub const DAY_PARTS_MAX: usize = 24;

/// Most `[[archetype_value]]` tables.
pub const ARCHETYPE_VALUES_MAX: usize = 256;

/// Most `[[patrol]]` tables.
pub const PATROLS_MAX: usize = 256;

/// Most points of one patrol.
pub const PATROL_POINTS_MAX: usize = 256;

/// Largest settings file, in bytes.
pub const SETTINGS_FILE_BYTES_MAX: usize = 256 * 1024;

/// Most clients of one server process.
pub const CLIENTS_MAX: u32 = 100_000;

/// Most network threads.
pub const WORKERS_MAX: u32 = 32;

/// Most of a tick's time over which its snapshots may be spread, in percent.
pub const SPREAD_PERCENT_MAX: u32 = 90;

/// Longest time for which the seat of a player whose connection broke is held, in seconds.
pub const HOLD_S_MAX: u32 = 3_600;

/// Shortest time for which a world is watched after a change was applied, in seconds: the first five are not judged.
pub const APPLY_WATCH_S_MIN: u32 = 10;

/// Longest time for which it is, in seconds.
pub const APPLY_WATCH_S_MAX: u32 = 3_600;

/// Most threads of the simulation.
pub const THREADS_MAX: u32 = 256;

/// Most `[[world]]` tables of a settings file.
pub const WORLD_FOLDERS_MAX: usize = 64;

/// Most errors that are kept for one file; the others are only counted, see [`super::ConfigErrors::omitted_count`].
pub const CONFIG_ERRORS_MAX: usize = 100;

const _: () = {
    assert!(TERRAIN_SIDE_MAX * TERRAIN_SIDE_MAX * 2 < TERRAIN_FILE_BYTES_MAX);
};
