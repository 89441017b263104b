//! A tunnel whose connection breaks connects again, and whoever comes meanwhile waits.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use underpass::{
    Adopt, Backoff, Bound, Builder, Close, Error, ErrorKind, Event, Forward, Reconnect, State, Tunnel, keys,
};
use underpass_testkit::relay::CuttingRelay;
use underpass_testkit::server::Server;
use underpass_testkit::target::Target;

use crate::credentials::{PASSPHRASE, Prompts, bastion_for, key_file};
use crate::support::{
    Bastion, Events, PASSWORD, USER, accepted, connect, connect_to, entrance, eventually, is_reset, loopback,
    refused, to, within,
};

/// Between two attempts, where a test has to see several.
const SOON: Duration = Duration::from_millis(50);

/// Longer than any test.
const AGES: Duration = Duration::from_secs(3600);

fn every(delay: Duration) -> Reconnect {
    Reconnect::default().backoff(Backoff::Fixed(delay))
}

/// A gateway behind a relay that can break, and an echo behind the gateway.
struct Scene {
    bastion: Bastion,
    relay: CuttingRelay,
    echo: Server,
    events: Events,
}

impl Scene {
    async fn new() -> Self {
        Self::of(Bastion::start().await)
    }

    fn of(bastion: Bastion) -> Self {
        let relay = CuttingRelay::start(bastion.gateway.address()).unwrap();
        Self { bastion, relay, echo: Target::Echo.start().unwrap(), events: Events::default() }
    }

    /// A tunnel to the echo through the relay, that reconnects soon.
    fn builder(&self) -> Builder {
        self.observed(self.bastion.builder_at(self.relay.address())).forward(to(self.echo.address()))
    }

    fn observed(&self, builder: Builder) -> Builder {
        builder.reconnect(every(SOON)).observer(self.events.observer())
    }

    async fn open(&self, builder: Builder) -> Tunnel {
        within(builder.open()).await.unwrap()
    }

    /// No connection to the server, and none to be had.
    async fn take_down(&self) {
        self.relay.refuse();
        self.relay.cut();
        self.seen("reconnecting", 1).await;
    }

    /// Waits for an event.
    async fn seen(&self, name: &str, times: usize) {
        eventually(name, || self.events.count(name) >= times).await;
    }

    /// A new connection goes all the way.
    async fn is_served(&self, tunnel: &Tunnel) {
        within(trip(&mut connect(tunnel))).await.unwrap();
    }
}

async fn trip(stream: &mut (impl tokio::io::AsyncRead + tokio::io::AsyncWrite + Unpin)) -> io::Result<()> {
    stream.write_all(b"x").await?;
    stream.read_exact(&mut [0]).await.map(drop)
}

fn reconnected(events: &Events) -> Vec<u32> {
    let attempts = |event| match event {
        Event::Reconnected { attempts, .. } => Some(attempts),
        _ => None,
    };
    events.all().into_iter().filter_map(attempts).collect()
}

/// Connects to an address again and again, on a thread of its own.
struct Prober {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<(u32, Option<io::Error>)>,
}

impl Prober {
    fn start(address: SocketAddr) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let (stopped, (begun, begins)) = (stop.clone(), mpsc::channel());
        let thread = thread::spawn(move || {
            let mut connects = 0;
            while !stopped.load(Ordering::Relaxed) {
                if let Err(error) = std::net::TcpStream::connect(address) {
                    return (connects, Some(error));
                }
                connects += 1;
                // Nobody listens after the first one.
                let _ = begun.send(());
                thread::sleep(Duration::from_millis(5));
            }
            (connects, None)
        });
        begins.recv().unwrap();
        Self { stop, thread }
    }

    fn finish(self) {
        self.stop.store(true, Ordering::Relaxed);
        let (connects, refused) = self.thread.join().unwrap();
        assert!(refused.is_none(), "after {connects} connections: {refused:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn after_a_cut_a_tunnel_reconnects_by_itself_and_its_port_stays_open() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().reconnect(Reconnect::default())).await;
    let mut stream = connect(&tunnel);
    within(trip(&mut stream)).await.unwrap();
    let prober = Prober::start(entrance(&tunnel));
    scene.relay.cut();
    assert!(is_reset(&mut stream).await, "a connection that was cut ended cleanly");
    scene.is_served(&tunnel).await;
    prober.finish();
    assert_eq!(tunnel.state(), State::Open);
    assert_eq!(reconnected(&scene.events), [1]);
    let all = scene.events.all();
    let cause = all.iter().find_map(|event| match event {
        Event::Reconnecting { error, attempt: 1, after } => Some((error.kind().clone(), *after)),
        _ => None,
    });
    let (kind, after) = cause.unwrap();
    assert!(matches!(kind, ErrorKind::Lost { .. }), "{kind:?}");
    assert!((Duration::from_millis(100)..=Duration::from_millis(500)).contains(&after), "{after:?}");
    assert_eq!(scene.relay.accepted(), 2);
}

#[tokio::test]
async fn whoever_connects_during_an_outage_waits_and_is_served() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder()).await;
    scene.take_down().await;
    assert_eq!(tunnel.state(), State::Reconnecting);
    let mut waiting: Vec<TcpStream> = (0..20).map(|_| connect(&tunnel)).collect();
    for stream in &mut waiting {
        stream.write_all(b"x").await.unwrap();
    }
    let program = tokio::spawn({
        let (tunnel, address) = (tunnel.clone(), scene.echo.address());
        async move { trip(&mut tunnel.connect(address).await.unwrap()).await }
    });
    scene.seen("reconnecting", 4).await;
    assert_eq!(tunnel.stats().open, 0);
    scene.relay.restore();
    for stream in &mut waiting {
        within(stream.read_exact(&mut [0])).await.unwrap();
    }
    within(program).await.unwrap().unwrap();
    assert_eq!(scene.events.count("connection-failed"), 0);
    assert!(reconnected(&scene.events)[0] >= 3, "{:?}", reconnected(&scene.events));
}

#[tokio::test]
async fn only_so_many_connections_wait_and_only_so_long() {
    let scene = Scene::new().await;
    let patience = Duration::from_millis(500);
    let builder = scene.builder().reconnect(every(AGES)).waiting_connections(2).waiting_timeout(patience);
    let tunnel = scene.open(builder).await;
    scene.take_down().await;
    let mut patient = [connect(&tunnel), connect(&tunnel)];
    let mut late = connect(&tunnel);
    assert!(is_reset(&mut late).await);
    assert_eq!(waited(&scene.events), [Duration::ZERO]);
    for stream in &mut patient {
        assert!(is_reset(stream).await);
    }
    assert_eq!(waited(&scene.events), [Duration::ZERO, patience, patience]);
    assert_eq!(tunnel.stats().failed, 3);
    let error = within(tunnel.connect(scene.echo.address())).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::NotConnected { waited: patience });
    assert_eq!(tunnel.state(), State::Reconnecting);
}

/// How long each connection that failed had waited for a connection to the server.
fn waited(events: &Events) -> Vec<Duration> {
    let waited = |error: Error| match error.kind() {
        ErrorKind::NotConnected { waited } => *waited,
        other => panic!("{other}"),
    };
    events.failures().into_iter().map(waited).collect()
}

#[tokio::test]
async fn another_host_key_after_the_break_ends_the_tunnel() {
    let (scene, other) = (Scene::new().await, Bastion::start().await);
    let tunnel = scene.open(scene.builder()).await;
    scene.relay.lead_to(other.gateway.address());
    scene.relay.cut();
    let mut waiting = connect(&tunnel);
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::HostKeyChanged { .. }), "{error}");
    assert!(is_reset(&mut waiting).await);
    assert_eq!(scene.relay.accepted(), 2, "it was tried again");
}

#[tokio::test]
async fn a_password_that_is_wrong_after_the_break_ends_the_tunnel() {
    let with = |password: &'static str| {
        let key = keys::load(&std::fs::read(key_file("id_plain")).unwrap(), None).unwrap().signer;
        Bastion::with(move |gateway| gateway.host_key(key).allow_password(USER, password))
    };
    let (scene, changed) = (Scene::of(with(PASSWORD).await), with("another").await);
    let tunnel = scene.open(scene.builder()).await;
    scene.relay.lead_to(changed.gateway.address());
    scene.relay.cut();
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Authentication { .. }), "{error}");
    assert_eq!(scene.relay.accepted(), 2, "it was tried again");
}

#[tokio::test]
async fn a_tunnel_that_never_reconnects_ends_with_its_connection() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().reconnect(Reconnect::never())).await;
    scene.relay.cut();
    let error = within(tunnel.closed()).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::Lost { .. }), "{error}");
    assert_eq!((scene.events.count("reconnecting"), scene.relay.accepted()), (0, 1));
}

#[tokio::test]
async fn a_first_attempt_that_fails_is_repeated_only_if_that_is_wanted() {
    let scene = Scene::new().await;
    scene.relay.refuse();
    refused(scene.builder()).await;
    assert_eq!(scene.relay.accepted(), 1);
    let always = Reconnect::always().backoff(Backoff::Fixed(SOON));
    let opening = tokio::spawn(scene.builder().reconnect(always).open());
    scene.seen("reconnecting", 3).await;
    scene.relay.restore();
    let tunnel = within(opening).await.unwrap().unwrap();
    scene.is_served(&tunnel).await;
    assert_eq!(scene.events.count("reconnected"), 0, "nothing was there to come back");
}

#[tokio::test]
async fn after_the_last_attempt_the_tunnel_ends_and_no_other_reached_the_server() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().reconnect(every(SOON).at_most(3))).await;
    scene.take_down().await;
    let mut waiting = connect(&tunnel);
    within(tunnel.closed()).await.unwrap_err();
    assert!(is_reset(&mut waiting).await);
    assert_eq!((scene.events.count("reconnecting"), scene.relay.accepted()), (3, 1 + 3));
    assert_eq!(scene.events.names().last(), Some(&"closed"));
}

#[tokio::test]
async fn attempts_reach_the_server_no_faster_than_the_policy_allows() {
    let scene = Scene::new().await;
    let (first, most) = (Duration::from_millis(200), Duration::from_millis(800));
    let backoff = Backoff::Exponential { first, most };
    let tunnel = scene.open(scene.builder().reconnect(Reconnect::default().backoff(backoff))).await;
    scene.take_down().await;
    scene.seen("reconnecting", 5).await;
    let delays: Vec<Duration> = scene.events.all().into_iter().filter_map(delay).take(5).collect();
    assert!(delays[0] <= first / 2, "{delays:?}");
    assert!(delays.iter().all(|delay| (first / 2..=most).contains(delay)), "{delays:?}");
    assert_eq!(scene.relay.accepted(), 1 + 4);
    drop(tunnel);
}

fn delay(event: Event) -> Option<Duration> {
    if let Event::Reconnecting { after, .. } = event { Some(after) } else { None }
}

#[tokio::test]
async fn a_stop_between_two_attempts_ends_at_once() {
    let scene = Scene::new().await;
    for grace in [Duration::ZERO, AGES] {
        scene.relay.restore();
        let tunnel = scene.open(scene.builder().reconnect(every(AGES))).await;
        let (address, before) = (entrance(&tunnel), scene.events.count("reconnecting"));
        scene.relay.refuse();
        scene.relay.cut();
        scene.seen("reconnecting", before + 1).await;
        let mut waiting = connect(&tunnel);
        within(tunnel.stop(grace)).await;
        TcpListener::bind(address).await.unwrap();
        assert!(is_reset(&mut waiting).await);
        assert_eq!(tunnel.state(), State::Closed);
        within(tunnel.closed()).await.unwrap();
    }
}

#[tokio::test]
async fn a_tunnel_dropped_between_two_attempts_leaves_nothing() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().reconnect(every(AGES))).await;
    scene.take_down().await;
    let (address, mut waiting) = (entrance(&tunnel), connect(&tunnel));
    drop(tunnel);
    assert!(is_reset(&mut waiting).await);
    eventually("nobody listens", || std::net::TcpStream::connect(address).is_err()).await;
    scene.seen("closed", 1).await;
}

#[tokio::test]
async fn an_attempt_under_way_is_given_up_when_the_tunnel_is_not_wanted_any_more() {
    for stop in [true, false] {
        let (scene, silent) = (Scene::new().await, TcpListener::bind(loopback()).await.unwrap());
        let tunnel = scene.open(scene.builder()).await;
        scene.relay.lead_to(silent.local_addr().unwrap());
        scene.relay.cut();
        let (mut attempt, _) = within(silent.accept()).await.unwrap();
        if stop {
            within(tunnel.stop(AGES)).await;
        }
        drop(tunnel);
        // The end of a banner, if any, is the end of the attempt.
        let mut said = Vec::new();
        let _ = within(attempt.read_to_end(&mut said)).await;
        scene.seen("closed", 1).await;
        assert_eq!(scene.relay.accepted(), 2);
    }
}

#[tokio::test]
async fn a_remote_forward_comes_back_on_the_same_port() {
    let bastion = Bastion::with(|gateway| {
        gateway.allow_password(USER, PASSWORD).allow_remote_forwards(|bind| bind.address == "localhost")
    });
    let scene = Scene::of(bastion.await);
    let forward = Forward::remote(0, scene.echo.address());
    let builder = scene.observed(scene.bastion.builder_at(scene.relay.address())).forward(forward);
    // The gateway has noticed the loss before the next attempt.
    let tunnel = scene.open(builder.reconnect(every(Duration::from_millis(300)))).await;
    let door = door_of(&tunnel).unwrap();
    within(trip(&mut connect_to(door))).await.unwrap();
    for times in 1..=3 {
        scene.relay.cut();
        scene.seen("reconnected", times).await;
        eventually("it is granted again", || door_of(&tunnel).is_some()).await;
        assert_eq!(door_of(&tunnel), Some(door));
        within(trip(&mut connect_to(door))).await.unwrap();
    }
}

/// Where the gateway listens for the only forward.
fn door_of(tunnel: &Tunnel) -> Option<SocketAddr> {
    match tunnel.forwards()[0].bound.first()? {
        Bound::Remote { port, .. } => Some(([127, 0, 0, 1], *port).into()),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_passphrase_is_asked_for_once() {
    let scene = Scene::of(bastion_for(&["id_encrypted"]).await);
    let prompts = Prompts { passphrase: Some(PASSPHRASE), ..Prompts::default() };
    let builder = scene.builder().identity_file(key_file("id_encrypted"));
    let tunnel = scene.open(builder.batch(false).prompter(prompts.clone())).await;
    reconnect_twice(&scene, &tunnel).await;
    assert_eq!(prompts.asked(), 1);
}

#[tokio::test]
async fn a_password_is_asked_for_once_by_each_method_that_takes_one() {
    for method in ["password", "keyboard-interactive"] {
        let scene = Scene::new().await;
        let prompts = Prompts { password: Some(PASSWORD), ..Prompts::default() };
        let mut settings = scene.builder().batch(false).prompter(prompts.clone()).settings().unwrap();
        settings.password = None;
        let tunnel = scene.open(Builder::from(settings).preferred_authentications([method])).await;
        reconnect_twice(&scene, &tunnel).await;
        assert_eq!(prompts.asked(), 1, "{method}");
    }
}

async fn reconnect_twice(scene: &Scene, tunnel: &Tunnel) {
    for times in 1..=2 {
        scene.relay.cut();
        scene.seen("reconnected", times).await;
    }
    within(tunnel.wait_ready(AGES)).await.unwrap();
}

#[tokio::test]
async fn a_change_of_the_network_finds_a_dead_connection_and_replaces_it() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().keepalive_interval(None)).await;
    let mut stream = connect(&tunnel);
    within(trip(&mut stream)).await.unwrap();
    scene.relay.half_open();
    tunnel.network_changed();
    scene.seen("reconnected", 1).await;
    assert!(is_reset(&mut stream).await);
    scene.is_served(&tunnel).await;
}

#[tokio::test]
async fn a_change_of_the_network_leaves_a_living_connection_alone_and_hurries_an_attempt() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder().reconnect(every(AGES))).await;
    tunnel.network_changed();
    let mut stream = connect(&tunnel);
    within(trip(&mut stream)).await.unwrap();
    scene.relay.cut();
    scene.seen("reconnecting", 1).await;
    tunnel.network_changed();
    scene.is_served(&tunnel).await;
    assert_eq!(reconnected(&scene.events), [1]);
}

#[tokio::test]
async fn a_tunnel_without_a_probe_is_ready_when_it_is_connected() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder()).await;
    within(tunnel.wait_ready(AGES)).await.unwrap();
    scene.take_down().await;
    tunnel.wait_ready(SOON).await.unwrap_err();
    scene.relay.restore();
    within(tunnel.wait_ready(AGES)).await.unwrap();
    tunnel.stop(Duration::ZERO).await;
    let error = within(tunnel.wait_ready(AGES)).await.unwrap_err();
    assert_eq!(*error.kind(), ErrorKind::Stopped);
}

#[tokio::test]
async fn a_tunnel_with_a_probe_is_ready_when_its_target_is() {
    let scene = Scene::new().await;
    // Held, so that nobody else gets the port; not listened on yet.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind(loopback()).unwrap();
    let target = socket.local_addr().unwrap();
    let tunnel = scene.open(scene.builder().probe(target)).await;
    let error = tunnel.wait_ready(Duration::from_millis(300)).await.unwrap_err();
    assert!(matches!(error.kind(), ErrorKind::TargetRefused { .. }), "{error}");
    let _listener = socket.listen(8).unwrap();
    within(tunnel.wait_ready(AGES)).await.unwrap();
}

#[tokio::test]
async fn an_adopted_connection_waits_as_well_and_can_be_taken_back() {
    let scene = Scene::new().await;
    let tunnel = scene.open(scene.builder()).await;
    scene.take_down().await;
    let (mut client, socket) = accepted().await;
    let adopted = tunnel.adopt(socket, Adopt::to(scene.echo.address()));
    let (mut regretted, socket) = accepted().await;
    let withdrawn = tunnel.adopt(socket, Adopt::to(scene.echo.address()));
    withdrawn.close(Close::Graceful);
    assert_eq!(*within(withdrawn.reached()).await.unwrap_err().kind(), ErrorKind::Stopped);
    assert!(is_reset(&mut regretted).await);
    assert_eq!(tunnel.state(), State::Reconnecting);
    scene.relay.restore();
    within(adopted.reached()).await.unwrap();
    within(trip(&mut client)).await.unwrap();
}
