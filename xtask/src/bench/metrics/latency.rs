//! Round trip of one byte, and of an answer in two pieces.

use std::time::Duration;

use anyhow::Result;

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load::Echo;
use crate::bench::stats;
use crate::bench::target::Service;

pub(super) const METRIC: Metric = Metric {
    name: "latency",
    figures: &[
        Figure { title: "round trip, p50", unit: "µs", digits: 0, goal: Some(Goal::AtMost(1.1)) },
        Figure { title: "round trip, p99", unit: "µs", digits: 0, goal: None },
        Figure { title: "answer in two pieces, p50", unit: "µs", digits: 0, goal: Some(Goal::AtMost(1.1)) },
    ],
    delay: Duration::ZERO,
    measure,
};

fn measure(bed: &Bed, client: &Running, sizes: &Sizes) -> Result<Vec<f64>> {
    let micros = |trips: &[Duration], share| stats::percentile(trips, share).as_secs_f64() * 1e6;
    let whole = trips(Echo::open(client.address)?, sizes.trips)?;
    bed.target.serve(Service::Halves)?;
    let halves = trips(Echo::open_halves(client.address)?, sizes.trips / HALVES)?;
    Ok(vec![micros(&whole, 0.50), micros(&whole, 0.99), micros(&halves, 0.50)])
}

/// Sorted; those that do not count are left out.
fn trips(mut echo: Echo, count: usize) -> Result<Vec<Duration>> {
    for _ in 0..count / 10 {
        echo.trip()?;
    }
    let mut trips = (0..count).map(|_| echo.trip()).collect::<Result<Vec<_>>>()?;
    trips.sort_unstable();
    Ok(trips)
}

/// So many times fewer answers come in two pieces: where a client delays acknowledgements, each takes 40 ms.
const HALVES: usize = 25;
