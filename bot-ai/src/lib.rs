//! Bots as ECS systems: perceive, decide, steer.
