//! Worlds and settings.

const FLAT: &str = r#"[world]
name = "flat"
size_m = 64.0
[terrain]
kind = "flat"
[[spawn]]
center_m = [0.0, 0.0]
radius_m = 20.0
"#;

/// Every table, and every key that is not of another kind of ground.
const HILLS: &str = r#"# A world with something of everything.
[world]
name = "hills"
seed = 42
size_m = 200
[simulation]
tick_rate_hz = 30
input_repeat_ticks = 3
[terrain]
kind = "procedural"
height_min_m = -5.5
height_max_m = 3e1
feature_m = 0x80
octaves = 3
cell_m = 4.0
[[obstacle]]
center_m = [20.0, 0.0]
shape = "box"
size_m = [4.0, 30.0]
yaw_deg = 12.5
height_m = 3.0
[[obstacle]]
center_m = [-30.0, 30.0]
shape = "cylinder"
radius_m = 3.0
height_m = 5.0
[movement]
walk_speed_mps = 1.5
run_speed_mps = 5.0
jump_height_m = 1.0
gravity_mps2 = 12.0
slope_max_deg = 50
step_height_m = 0.3
capsule_radius_m = 0.4
capsule_height_m = 1.8
[[archetype]]
name = "wolf"
run_speed_mps = 8.5
body_radius_m = 0.3
body_height_m = 0.9
[[archetype]]
name = "ogre"
[[attribute]]
name = "rage"
kind = "number"
max = 50
held_by = "bots"
held_by_archetypes = ["ogre", "bot"]
[[archetype_value]]
archetype = "ogre"
attribute = "rage"
value = 20.0
[[bot_profile]]
name = "beast"
archetype = "wolf"
[[spawn]]
center_m = [0.0, 0.0]
radius_m = 15.0
[[patrol]]
name = "round"
points_m = [
    [-50.0, -50.0], # south-west
    [50.0, -50.0],
]
[interest]
enter_radius_m = 60.0
leave_radius_m = 70.0
"#;

const FROM_A_FILE: &str = r#"world = { name = "file", size_m = 100.0 }
terrain = { kind = "KIND", file = "ground", height_min_m = 0, height_max_m = 40 }
spawn = [{ center_m = [0, 0], radius_m = 5 }]
"#;

/// A world that is nothing but what it includes, and what that says.
const OF_PARTS: [&str; 2] = [
    "include = [\"parts/one.toml\", \"../common/two.toml\"]\n[world]\nsize_m = 90\n[terrain]\nkind = \"flat\"\n",
    "[world]\nname = \"parts\"\nsize_m = 200\n[terrain]\nkind = \"procedural\"\noctaves = 2\n[[spawn]]\n\
     center_m = [0, 0]\nradius_m = 5\n[[patrol]]\nname = \"round\"\npoints_m = [[1, 2], [3, 4]]\n",
];

const WRONG: &str = "[world]\nname = 7\nsize_m = \"großer Platz\"\nsize = nan\n[[terrain]]\nkind = 'flatt'\n\
                     [spawn]\n[world]\n\tx = [1, 2\ny = 1979-05-27";

/// A picture of 2 x 2 pixels with 16 bits.
const PICTURE: &[u8] = include_bytes!("../../../broken-worlds/33-heights-upside-down/hills.png");

const SAMPLES: [u8; 8] = [0, 0, 0xff, 0xff, 0x34, 0x12, 0, 0x80];

const SETTINGS: &str = r#"# To try things out.
[net]
bind = "127.0.0.1:7777"
key = "local"
[http]
enabled = false
"#;

const SETTINGS_IN_PUBLIC: &str = r#"[net]
bind = "[::]:7777"
public_address = "203.0.113.7:7777"
workers = 4
spread_percent = 50
clients_max = 10_000
key = "file"
key_file = "../throng.key"
[session]
hold_s = 60
[http]
enabled = true
bind = "127.0.0.1:0"
[simulation]
threads = 8
[[world]]
folder = "worlds/meadow"
[[world]]
folder = '/srv/throng/tower'
"#;

const SETTINGS_WRONG: &str = "[net]\nbind = \"localhost\"\npublic_address = \"0.0.0.0:0\"\nkey = \"00ff\"\nclients_max = -1\n\
                              [htp]\n[http]\nenabled = \"yes\"\n[[world]]\nfolder = \"C:\\\\world\"\n[world]\n";

pub(super) fn world_file() -> Vec<(&'static str, Vec<u8>)> {
    let with_file = |kind: &str, file: &[u8]| {
        let text = FROM_A_FILE.replace("KIND", kind);
        [text.as_bytes(), &[0], file].concat()
    };
    let [own, parts] = OF_PARTS;
    vec![
        ("flat", FLAT.into()),
        ("parts", [own.as_bytes(), &[0], parts.as_bytes()].concat()),
        ("parts-in-a-circle", [own.as_bytes(), &[0], own.as_bytes()].concat()),
        ("hills", HILLS.into()),
        ("picture", with_file("png", PICTURE)),
        ("samples", with_file("raw", &SAMPLES)),
        ("wrong", WRONG.into()),
    ]
}

pub(super) fn abilities_file() -> Vec<(&'static str, Vec<u8>)> {
    const ARENA: &str = include_str!("../../../../assets/worlds/arena/abilities.toml");
    let smallest = "[combat]\nhealth = \"health\"\n[[ability]]\nname = \"a\"\nkind = \"own\"\nheal = 1\n";
    vec![
        ("arena", ARENA.into()),
        ("smallest", smallest.into()),
        ("held", smallest.replace("kind", "held_by = \"bots\"\nheld_by_archetypes = [\"bot\"]\nkind").into()),
        ("no-such-attribute", ARENA.replace("mana", "rage").into()),
    ]
}

pub(super) fn settings_file() -> Vec<(&'static str, Vec<u8>)> {
    vec![("local", SETTINGS.into()), ("public", SETTINGS_IN_PUBLIC.into()), ("wrong", SETTINGS_WRONG.into())]
}
