//! What is on for whom.

use glam::Vec2;

use super::outline::Outline;
use crate::config::{FeatureConfig, ZoneConfig};
use crate::ids::ClientId;
use crate::random::mix;

/// The features of a world.
#[derive(Clone, Debug, Default)]
pub struct Features {
    all: Vec<Feature>,
}

#[derive(Clone, Debug)]
struct Feature {
    config: FeatureConfig,
    outlines: Vec<Outline>,
    /// By its name, so that the same player is not among the first for every one.
    seed: u64,
}

impl Features {
    /// What a world file says, of these zones.
    pub fn new(features: &[FeatureConfig], zones: &[ZoneConfig]) -> Features {
        let all = features.iter().map(|config| Feature {
            outlines: config.zones.iter().filter_map(|&zone| zones.get(zone as usize)).map(Outline::of).collect(),
            seed: config.name.bytes().fold(0, |seed, byte| mix(seed ^ u64::from(byte))),
            config: config.clone(),
        });
        Features { all: all.collect() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether a feature is on in the world at all; false for one that there is not.
    pub fn is_on(&self, name: &str) -> bool {
        self.find(name).is_some_and(|feature| feature.config.is_on)
    }

    /// Whether it is on for a client whose character is at a point (x, z), in metres. O(features + zones).
    pub fn is_on_for(&self, name: &str, client: ClientId, point_m: Vec2) -> bool {
        self.find(name).is_some_and(|feature| {
            let is_here = feature.outlines.is_empty() || feature.outlines.iter().any(|zone| zone.contains(point_m));
            feature.config.is_on && is_here && feature.is_among(client)
        })
    }

    /// The names of all that are on for a client in some place.
    pub fn of(&self, client: ClientId) -> impl Iterator<Item = &str> {
        let on = self.all.iter().filter(move |feature| feature.config.is_on && feature.is_among(client));
        on.map(|feature| feature.config.name.as_str())
    }

    fn find(&self, name: &str) -> Option<&Feature> {
        self.all.iter().find(|feature| feature.config.name == name)
    }
}

impl Feature {
    /// Whether a client is among those who have it: its lot, from 0 to 100, is its own for ever.
    fn is_among(&self, client: ClientId) -> bool {
        let lot_percent = (mix(self.seed ^ client.0) >> 40) as f64 / f64::from(1 << 24) * 100.0;
        lot_percent < f64::from(self.config.sessions_percent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{OutlineConfig, ZoneKind};

    fn feature(name: &str, sessions_percent: f32) -> FeatureConfig {
        FeatureConfig { name: name.to_owned(), is_on: true, zones: vec![], sessions_percent }
    }

    #[test]
    fn a_share_of_the_clients_has_a_feature_and_keeps_it_when_the_share_grows() {
        let count = 20_000;
        let having = |name: &str, percent| -> Vec<bool> {
            let features = Features::new(&[feature(name, percent)], &[]);
            (0..count).map(|client| features.is_on_for(name, ClientId(client), Vec2::ZERO)).collect()
        };
        let share = |having: &[bool]| having.iter().filter(|has| **has).count() as f64 / count as f64;
        let (few, many) = (having("new-sky", 10.0), having("new-sky", 40.0));
        assert!((share(&few) - 0.1).abs() < 0.01 && (share(&many) - 0.4).abs() < 0.02);
        assert!(few.iter().zip(&many).all(|(few, many)| !few || *many), "nobody loses it");
        assert_eq!((share(&having("new-sky", 0.0)), share(&having("new-sky", 100.0))), (0.0, 1.0));
        let other = having("other", 40.0);
        let both: Vec<bool> = many.iter().zip(&other).map(|(a, b)| *a && *b).collect();
        assert!((share(&both) - 0.16).abs() < 0.02, "one does not go with the other: {}", share(&both));
    }

    #[test]
    fn it_is_on_where_the_world_says_and_nowhere_when_it_is_off() {
        let outline = OutlineConfig::Circle { radius_m: 10.0 };
        let (name, center_m) = ("square".to_owned(), Vec2::new(50.0, 0.0));
        let (population, hours_percent) = (None, vec![]);
        let zone = ZoneConfig { name, kind: ZoneKind::Open, center_m, outline, population, hours_percent };
        let local = FeatureConfig { zones: vec![0], ..feature("fair", 100.0) };
        let off = FeatureConfig { is_on: false, ..feature("off", 100.0) };
        let features = Features::new(&[local, off], &[zone]);
        let client = ClientId(3);
        assert!(features.is_on_for("fair", client, center_m) && !features.is_on_for("fair", client, Vec2::ZERO));
        assert!(features.is_on("fair") && !features.is_on("off") && !features.is_on("unheard-of"));
        assert!(!features.is_on_for("off", client, center_m) && !features.is_on_for("unheard-of", client, center_m));
        assert_eq!(features.of(client).collect::<Vec<_>>(), ["fair"]);
    }
}
