//! What a tunnel leaves behind, and what it costs while nothing moves.
//!
//! A test program of its own, whose tests take turns: descriptors and tasks of other tests would be counted with.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[path = "tunnel/support.rs"]
#[allow(dead_code, reason = "shared with the other test program, which uses all of it")]
mod support;

use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Handle;
use underpass::Tunnel;
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::script::Script;
use underpass_testkit::target::{Refusing, Target};
use underpass_testkit::{Payload, Server};

use support::{
    Bastion, bare_builder, connect, connect_to, echo, eventually, is_reset, receive, refused, to,
    unanswering, within,
};

static TURN: Mutex<()> = Mutex::new(());

fn turn() -> MutexGuard<'static, ()> {
    // A test that failed leaves nothing behind that the next one would see.
    TURN.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Descriptors of this process, and tasks of this runtime.
fn held() -> (usize, usize) {
    let descriptors = fs::read_dir("/proc/self/fd").unwrap().count();
    (descriptors, Handle::current().metrics().num_alive_tasks())
}

async fn back_to(before: (usize, usize)) {
    let mut now = held();
    let settled = async {
        while now != before {
            tokio::time::sleep(Duration::from_millis(5)).await;
            now = held();
        }
    };
    let settled = tokio::time::timeout(Duration::from_secs(20), settled).await;
    assert!(settled.is_ok(), "descriptors and tasks were {before:?} and are {now:?}");
}

/// A tunnel with a connection that has carried something.
async fn in_use(bastion: &Bastion, target: &Server) -> (Tunnel, TcpStream) {
    let tunnel = bastion.tunnel_to(target.address()).await;
    let mut stream = connect(&tunnel);
    stream.write_all(b"x").await.unwrap();
    within(stream.read_u8()).await.unwrap();
    (tunnel, stream)
}

#[test]
fn a_tunnel_that_is_stopped_dropped_or_lost_leaves_nothing() {
    let _turn = turn();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
        let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
        let before = held();
        for _ in 0..3 {
            let (tunnel, _stream) = in_use(&bastion, &target).await;
            within(tunnel.stop(Duration::ZERO)).await;
        }
        back_to(before).await;
        for _ in 0..3 {
            let (tunnel, mut stream) = in_use(&bastion, &target).await;
            let clone = tunnel.clone();
            drop(tunnel);
            stream.write_all(b"x").await.unwrap();
            within(stream.read_u8()).await.unwrap();
            drop(clone);
            assert!(is_reset(&mut stream).await);
        }
        back_to(before).await;
        for _ in 0..3 {
            let builder = bastion.builder_at(relay.address()).forward(to(target.address()));
            let tunnel = builder.open().await.unwrap();
            let mut stream = connect(&tunnel);
            stream.write_all(b"x").await.unwrap();
            within(stream.read_u8()).await.unwrap();
            relay.cut();
            within(tunnel.closed()).await.unwrap_err();
        }
        back_to(before).await;
    });
}

#[test]
fn a_tunnel_that_is_given_up_while_it_opens_leaves_nothing() {
    let _turn = turn();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let scripts =
            [Script::Silent, Script::SilentAfterBanner, Script::SilentAfterKexInit, Script::DripBanner];
        let servers = scripts.map(|script| script.start().unwrap());
        let (bastion, (unanswering, _waiting)) = (Bastion::start().await, unanswering().await);
        // Threads for reading files, once started, are kept for a while.
        let before = held();
        for server in &servers {
            let opening = bare_builder(server.address()).forward(to(server.address())).open();
            tokio::time::timeout(Duration::from_millis(100), opening).await.unwrap_err();
        }
        let dialling = bare_builder(unanswering.local_addr().unwrap()).open();
        tokio::time::timeout(Duration::from_millis(100), dialling).await.unwrap_err();
        refused(bastion.builder().password("wrong")).await;
        // At every point at which it can be dropped, as far as the scheduler lets it be hit.
        for polls in 0..60 {
            let mut opening = Box::pin(bastion.builder().forward(to(servers[0].address())).open());
            for _ in 0..polls {
                if poll_once(opening.as_mut()).await {
                    break;
                }
            }
        }
        back_to(before).await;
    });
}

/// Polls once, then lets everybody else run; true when it is done.
async fn poll_once<F: Future>(mut future: std::pin::Pin<&mut F>) -> bool {
    let done = std::future::poll_fn(|cx| std::task::Poll::Ready(future.as_mut().poll(cx).is_ready())).await;
    tokio::time::sleep(Duration::from_micros(200)).await;
    done
}

#[test]
fn a_thousand_connections_one_after_another_leave_nothing() {
    let _turn = turn();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let payload = Payload::new(1);
        let (echoing, bursting) =
            (Target::Echo.start().unwrap(), Target::Burst(payload, 1000).start().unwrap());
        let (refusing, bastion) = (Refusing::start().unwrap(), Bastion::start().await);
        let targets = [echoing.address(), bursting.address(), refusing.address()];
        let builder =
            targets.into_iter().fold(bastion.builder(), |builder, target| builder.forward(to(target)));
        let tunnel = builder.open().await.unwrap();
        let entrance = |at: usize| tunnel.listeners()[at].1;
        let mut after_warm_up = None;
        for round in 0..1000 {
            match round % 5 {
                0 => within(echo(connect_to(entrance(0)), payload, 1000)).await.unwrap(),
                1 => assert_eq!(within(receive(&mut connect_to(entrance(1)), payload)).await.unwrap(), 1000),
                2 => assert!(is_reset(&mut connect_to(entrance(2))).await),
                3 => connect_to(entrance(0)).set_zero_linger().unwrap(),
                // The target is gone, so that the server closes while our half is still open.
                _ => {
                    let mut stream = connect_to(entrance(1));
                    assert_eq!(within(receive(&mut stream, payload)).await.unwrap(), 1000);
                    while within(stream.write_all(b"x")).await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(1)).await;
                    }
                }
            }
            if round == 20 {
                eventually("all are closed", || tunnel.stats().open == 0).await;
                tokio::time::sleep(Duration::from_millis(50)).await;
                after_warm_up = Some(held());
            }
        }
        eventually("all are closed", || tunnel.stats().open == 0).await;
        back_to(after_warm_up.unwrap()).await;
        // The engine, too, has released every channel: it would wait for those that it still has.
        within(tunnel.stop(Duration::from_secs(3600))).await;
    });
}

/// CPU time of the calling thread so far.
#[cfg(target_os = "linux")]
fn cpu_time() -> Duration {
    let schedstat = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(schedstat.split(' ').next().unwrap().parse().unwrap())
}

/// A busy loop would use up the whole second. Everything of ours runs on this thread, the gateway included.
#[cfg(target_os = "linux")]
async fn costs_little(what: &str) {
    let before = cpu_time();
    tokio::time::sleep(Duration::from_secs(1)).await;
    let used = cpu_time() - before;
    assert!(used < Duration::from_millis(250), "{what}: {used:?} of CPU time in a second without work");
}

#[cfg(target_os = "linux")]
#[test]
fn a_tunnel_in_which_nothing_moves_costs_no_time() {
    let _turn = turn();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let payload = Payload::new(1);
        let (stuck, endless) =
            (Target::BlackHole.start().unwrap(), Target::Source(payload, u64::MAX).start().unwrap());
        let (bastion, silent) = (Bastion::start().await, Script::Silent.start().unwrap());
        let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
        let builder =
            bastion.builder_at(relay.address()).forward(to(stuck.address())).forward(to(endless.address()));
        let tunnel = builder.open().await.unwrap();
        costs_little("an idle tunnel").await;

        let idle: Vec<TcpStream> = (0..50).map(|_| connect_to(tunnel.listeners()[0].1)).collect();
        eventually("all are open", || tunnel.stats().open == 50).await;
        costs_little("idle connections").await;

        let mut reader = connect_to(tunnel.listeners()[1].1);
        within(reader.read_u8()).await.unwrap();
        let mut writer = connect_to(tunnel.listeners()[0].1);
        fill(&mut writer).await;
        costs_little("an upload and a download that are stuck").await;

        let mut half_closed = connect_to(tunnel.listeners()[0].1);
        half_closed.write_all(b"x").await.unwrap();
        half_closed.shutdown().await.unwrap();
        drop(idle);
        costs_little("connections of which one half has ended").await;

        relay.black_hole();
        let mut writers = [(); 4].map(|()| connect_to(tunnel.listeners()[0].1));
        for writer in &mut writers {
            fill(writer).await;
        }
        costs_little("a server that takes nothing").await;

        let opening = tokio::spawn(bare_builder(silent.address()).open());
        costs_little("a server that says nothing").await;
        opening.abort();
    });
}

/// Writes until nothing more is taken.
#[cfg(target_os = "linux")]
async fn fill(stream: &mut TcpStream) {
    let filling = async { while stream.write_all(&[7; 64 * 1024]).await.is_ok() {} };
    tokio::time::timeout(Duration::from_millis(500), filling).await.unwrap_err();
}
