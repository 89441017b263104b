//! Every byte arrives, in order and once, whatever the streams beside it do.

use std::env;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use underpass_conformance::client::Session;
use underpass_conformance::{Client, Failure, Peer, PeerKind, Result, traffic, with_each_peer};
use underpass_testkit::target::Target;
use underpass_testkit::{Payload, Server};

with_each_peer!(
    two_hundred_streams_echo_at_once,
    two_hundred_streams_echo_while_keys_change,
    an_upload_is_answered_after_its_end,
    a_request_is_answered_at_length_after_its_end,
    what_a_target_sends_before_it_closes_arrives,
    streams_flow_beside_a_reader_that_stopped,
    streams_flow_beside_a_target_that_stopped,
);

fn two_hundred_streams_echo_at_once(kind: PeerKind) -> Result<()> {
    let bed = Bed::new(kind, Target::Echo)?;
    bed.run(traffic::echo_in_parallel(bed.address(), 200, stream_length()))
}

fn two_hundred_streams_echo_while_keys_change(kind: PeerKind) -> Result<()> {
    let limited = |client: Client| client.option("RekeyLimit", "1M").verbosity(2);
    let bed = Bed::with(kind, Target::Echo.start()?, limited)?;
    bed.run(traffic::echo_in_parallel(bed.address(), 200, stream_length()))?;
    // Data that is under way when a limit is reached still goes with the old keys.
    let (changes, fewest) = (bed.session.key_exchanges(), 200 * stream_length() / MIB / 10);
    assert!(changes as u64 >= fewest, "the keys changed {changes} times, expected {fewest} at least");
    Ok(())
}

fn an_upload_is_answered_after_its_end(kind: PeerKind) -> Result<()> {
    let bed = Bed::new(kind, Target::Sink)?;
    let upload = |number| traffic::upload(bed.address(), Payload::new(number), stream_length());
    bed.run(traffic::in_parallel(20, upload))
}

fn a_request_is_answered_at_length_after_its_end(kind: PeerKind) -> Result<()> {
    let payload = Payload::new(11);
    let bed = Bed::new(kind, Target::Reply(payload, stream_length()))?;
    let request = |_| traffic::request(bed.address(), 100_000, payload, stream_length());
    bed.run(traffic::in_parallel(20, request))
}

fn what_a_target_sends_before_it_closes_arrives(kind: PeerKind) -> Result<()> {
    let payload = Payload::new(12);
    let bed = Bed::new(kind, Target::Burst(payload, MIB))?;
    let address = bed.address();
    let lane = |_| async move {
        for _ in 0..BURSTS / BURST_LANES {
            traffic::download(address, payload, MIB).await?;
        }
        Ok(())
    };
    bed.run(traffic::in_parallel(BURST_LANES, lane))
}

fn streams_flow_beside_a_reader_that_stopped(kind: PeerKind) -> Result<()> {
    let (endless, payload) = (Target::Source(Payload::new(0), u64::MAX).start()?, Payload::new(13));
    let bed = Bed::beside(kind, Target::Source(payload, NEIGHBOUR), &endless)?;
    bed.run(async {
        let stopped = TcpStream::connect(bed.locals()[1]).await?;
        stopped.readable().await?;
        let address = bed.address();
        traffic::in_parallel(99, |_| traffic::download(address, payload, NEIGHBOUR)).await?;
        // It did receive, and it is still there.
        let mut byte = [0];
        match stopped.peek(&mut byte).await? {
            0 => Err(Failure::new("the stream that nobody read was ended")),
            _ => Ok(()),
        }
    })?;
    bed.assert_memory_is_bounded()
}

fn streams_flow_beside_a_target_that_stopped(kind: PeerKind) -> Result<()> {
    let black_hole = Target::BlackHole.start()?;
    let bed = Bed::beside(kind, Target::Echo, &black_hole)?;
    let address = bed.address();
    bed.run(async {
        let mut stuck = TcpStream::connect(bed.locals()[1]).await?;
        let filling = tokio::spawn(async move {
            let block = vec![0; 64 * 1024];
            while stuck.write_all(&block).await.is_ok() {}
            stuck.read(&mut [0]).await
        });
        traffic::echo_in_parallel(address, 99, NEIGHBOUR).await?;
        match filling.is_finished() {
            true => Err(Failure::new("the stream that its target did not read was ended")),
            false => Ok(()),
        }
    })?;
    bed.assert_memory_is_bounded()
}

/// A peer, a client of it, and what its forwards lead to.
struct Bed {
    session: Session,
    peer: Peer,
    _target: Server,
}

impl Bed {
    fn new(kind: PeerKind, target: Target) -> Result<Self> {
        Self::with(kind, target.start()?, |client| client)
    }

    /// With a second forward.
    fn beside(kind: PeerKind, target: Target, second: &Server) -> Result<Self> {
        Self::with(kind, target.start()?, |client| client.forward(second.address()))
    }

    fn with(kind: PeerKind, target: Server, configure: impl Fn(Client) -> Client) -> Result<Self> {
        let peer = kind.start()?;
        let session = configure(Client::of(&peer)?.forward(target.address())).start()?;
        Ok(Self { session, peer, _target: target })
    }

    fn run(&self, traffic: impl Future<Output = Result<()>>) -> Result<()> {
        traffic::run_through(&self.session, &self.peer, PATIENCE, traffic)
    }

    fn address(&self) -> SocketAddr {
        self.session.local()
    }

    fn locals(&self) -> &[SocketAddr] {
        self.session.locals()
    }

    fn assert_memory_is_bounded(&self) -> Result<()> {
        let peak = self.session.peak_memory()?;
        assert!(peak <= MEMORY_CAP, "{} MiB were resident, over {} MiB", peak / MIB, MEMORY_CAP / MIB);
        Ok(())
    }
}

/// 5 MiB; `UNDERPASS_STREAM_MIB` changes it for a quick run, or a long one.
fn stream_length() -> u64 {
    match env::var("UNDERPASS_STREAM_MIB") {
        Ok(mib) => mib.parse::<u64>().expect("UNDERPASS_STREAM_MIB is a number") * MIB,
        Err(_) => 5 * MIB,
    }
}

const MIB: u64 = 1024 * 1024;

const BURSTS: u64 = 1000;
const BURST_LANES: u64 = 8;

/// What each stream beside the stopped one carries.
const NEIGHBOUR: u64 = 2 * MIB;

/// The 64 MiB that a client may hold for all its streams together unless told otherwise, and as much again for its
/// code, its connections' buffers and its packets under way.
const MEMORY_CAP: u64 = 128 * MIB;

/// One side on a busy machine moves 10 MiB a second at worst.
const PATIENCE: Duration = Duration::from_secs(300);
