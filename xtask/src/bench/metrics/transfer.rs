//! Bulk transfer: processor time of the client per gigabyte, and throughput.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::{Figure, Goal, Metric, Sizes};
use crate::bench::clients::Running;
use crate::bench::load;

pub(super) const ONE_STREAM: Metric = Metric {
    name: "transfer",
    figures: &[
        cpu("client CPU, up", Some(Goal::AtMost(0.55))),
        cpu("client CPU, down", Some(Goal::AtMost(0.95))),
        throughput("throughput, up, 1 stream", Some(Goal::AtLeast(1.0))),
        throughput("throughput, down, 1 stream", Some(Goal::AtLeast(1.0))),
    ],
    delay: Duration::ZERO,
    measure: |client, sizes| measure(client, sizes, 1),
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
    measure: |client, sizes| measure(client, sizes, 8),
};

const fn cpu(title: &'static str, goal: Option<Goal>) -> Figure {
    Figure { title, unit: "s/GB", digits: 3, goal }
}

const fn throughput(title: &'static str, goal: Option<Goal>) -> Figure {
    Figure { title, unit: "MB/s", digits: 0, goal }
}

fn measure(client: &Running, sizes: &Sizes, streams: usize) -> Result<Vec<f64>> {
    let up = direction(client, sizes, streams, up)?;
    let down = direction(client, sizes, streams, down)?;
    Ok(vec![up.cpu, down.cpu, up.rate, down.rate])
}

struct Transfer {
    /// Seconds per gigabyte.
    cpu: f64,
    /// Megabytes per second.
    rate: f64,
}

fn direction(client: &Running, sizes: &Sizes, streams: usize, transfer: Move) -> Result<Transfer> {
    let address = client.address;
    let each = |total: u64| total / streams as u64;
    load::parallel(streams, || transfer(address, each(sizes.warm_up)))?;

    let bytes = each(sizes.transfer);
    let cpu = client.process.cpu()?;
    let start = Instant::now();
    load::parallel(streams, || transfer(address, bytes))?;
    let elapsed = start.elapsed().as_secs_f64();
    let cpu = client.process.cpu()?.saturating_sub(cpu).as_secs_f64();

    let moved = (bytes * streams as u64) as f64;
    Ok(Transfer { cpu: cpu / (moved / 1e9), rate: moved / 1e6 / elapsed })
}

type Move = fn(SocketAddr, u64) -> Result<()>;

fn up(address: SocketAddr, bytes: u64) -> Result<()> {
    load::send(address, bytes)
}

fn down(address: SocketAddr, bytes: u64) -> Result<()> {
    let received = load::receive(address, bytes, WINDOW)?;
    ensure!(received == bytes, "only {received} of {bytes} bytes came within {WINDOW:?}");
    Ok(())
}

/// Hundreds of times what a healthy client needs.
const WINDOW: Duration = Duration::from_secs(300);
