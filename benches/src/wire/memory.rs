//! What a client holds in the server's process, its connection included.

use super::{WireParameters, number, step};

/// Clients of two servers whose worlds are the same, made for the larger number.
const CLIENTS: [u32; 2] = [500, 2_500];

/// What one more client takes, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientMemory {
    pub(crate) heap_bytes: f64,
    pub(crate) resident_bytes: f64,
}

/// Lets clients play on two servers, and compares.
pub(crate) fn run(visible: u32, is_quick: bool) -> anyhow::Result<ClientMemory> {
    let seconds = if is_quick { 2 } else { 10 };
    let parameters =
        WireParameters { clients: Vec::new(), stock_clients: Vec::new(), visible, seconds, rounds: 1, is_quick };
    let [few, many] = CLIENTS;
    let few_report = step::run_in(&parameters, many, few, false)?.report;
    let many_report = step::run_in(&parameters, many, many, false)?.report;
    let per_client = |name: &str| (number(&many_report, name) - number(&few_report, name)) / f64::from(many - few);
    Ok(ClientMemory { heap_bytes: per_client("heap_bytes"), resident_bytes: per_client("resident_bytes") })
}
