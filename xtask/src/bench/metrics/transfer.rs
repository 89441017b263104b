//! Bulk transfer: processor time of the client per gigabyte, and throughput.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::bed::Bed;
use crate::bench::clients::Running;
use crate::bench::load;
use crate::bench::target::Service;

pub(super) const ONE_STREAM: Metric = Metric {
    name: "transfer",
    figures: &[
        cpu("client CPU, up", Some(Goal::AtMost(0.55))),
        cpu("client CPU, down", Some(Goal::AtMost(0.95))),
        throughput("throughput, up, 1 stream", Some(Goal::AtLeast(1.0))),
        throughput("throughput, down, 1 stream", Some(Goal::AtLeast(1.0))),
    ],
    delay: Duration::ZERO,
    measure: |bed, client, sizes| measure(bed, client, sizes, 1),
};

pub(super) const EIGHT_STREAMS: Metric = Metric {
    name: "streams",
    figures: &[
        cpu("client CPU, up, 8 streams", None),
        cpu("client CPU, down, 8 streams", None),
        throughput("throughput, up, 8 streams", None),
        throughput("throughput, down, 8 streams", None),
    ],
    delay: Duration::ZERO,
    measure: |bed, client, sizes| measure(bed, client, sizes, 8),
};

const fn cpu(title: &'static str, goal: Option<Goal>) -> Figure {
    Figure { title, unit: "s/GB", digits: 3, goal }
}

const fn throughput(title: &'static str, goal: Option<Goal>) -> Figure {
    Figure { title, unit: "MB/s", digits: 0, goal }
}

fn measure(bed: &Bed, client: &Running, sizes: &Sizes, streams: usize) -> Result<Vec<f64>> {
    let up = transfer(bed, client, sizes, streams, &UP)?;
    let down = transfer(bed, client, sizes, streams, &DOWN)?;
    Ok(vec![up.cpu, down.cpu, up.rate, down.rate])
}

struct Transfer {
    /// Seconds per gigabyte.
    cpu: f64,
    /// Megabytes per second.
    rate: f64,
}

fn transfer(bed: &Bed, client: &Running, sizes: &Sizes, streams: usize, way: &Way) -> Result<Transfer> {
    let address = client.address;
    let go = |bytes| {
        bed.target.serve((way.service)(bytes))?;
        load::parallel(streams, || (way.load)(address, bytes))
    };
    go(sizes.warm_up / streams as u64)?;

    let each = sizes.transfer / streams as u64;
    let cpu = client.process.cpu()?;
    let start = Instant::now();
    go(each)?;
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = client.process.cpu()?.saturating_sub(cpu).as_secs_f64();

    let moved = (each * streams as u64) as f64;
    Ok(Transfer { cpu: cpu / (moved / 1e9), rate: moved / 1e6 / elapsed })
}

/// A direction: what the far end does and what we do, for a number of bytes.
struct Way {
    service: fn(u64) -> Service,
    load: fn(SocketAddr, u64) -> Result<()>,
}

const UP: Way = Way { service: Service::Sink, load: load::send };

const DOWN: Way = Way { service: Service::Source, load: receive_all };

fn receive_all(address: SocketAddr, bytes: u64) -> Result<()> {
    let received = load::receive(address, bytes, WINDOW)?;
    ensure!(received == bytes, "only {received} of {bytes} bytes came within {WINDOW:?}");
    Ok(())
}

/// Hundreds of times what a healthy client needs.
const WINDOW: Duration = Duration::from_secs(300);
