//! What the figures were measured on.

use serde_json::{Value, json};

/// Processor, cores that this process may use, operating system, and what the code was compiled for.
pub(crate) fn describe() -> Value {
    json!({
        "processor": processor(),
        "cores": std::thread::available_parallelism().map_or(0, usize::from),
        "system": std::env::consts::OS,
        "avx2": cfg!(target_feature = "avx2"),
        "debug_assertions": cfg!(debug_assertions),
    })
}

/// The processor's name where the system tells it.
fn processor() -> String {
    let text = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let name = text.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": ").map(|(_, name)| name));
    name.unwrap_or(std::env::consts::ARCH).to_owned()
}
