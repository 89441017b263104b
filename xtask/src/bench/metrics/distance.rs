//! Download when the server is 100 ms away: how far the receive window opens, and how soon.

use std::time::{Duration, Instant};

use anyhow::Result;

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load;
use crate::bench::target::Service;

pub(super) const METRIC: Metric = Metric {
    name: "distance",
    figures: &[Figure {
        title: "download at 100 ms round trip",
        unit: "MB/s",
        digits: 1,
        goal: Some(Goal::AtLeast(8.0)),
    }],
    delay: Duration::from_millis(50),
    measure,
};

/// A fresh connection with no warm-up: the time that the window takes to open is part of it.
fn measure(bed: &Bed, client: &Running, sizes: &Sizes) -> Result<Vec<f64>> {
    bed.target.serve(Service::Source(sizes.distance))?;
    let start = Instant::now();
    let received = load::receive(client.address, sizes.distance, sizes.distance_window)?;
    Ok(vec![received as f64 / 1e6 / start.elapsed().as_secs_f64()])
}
