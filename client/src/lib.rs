//! Native client: connect, predict, interpolate; and the load generator.
