//! Two engines, two links and a clock that jumps: whole connections without waiting.
//!
//! Workers on channels act on events alone, as a driver does, so a wake-up that the engine forgets shows as a test
//! that comes to a standstill.

mod end;
mod work;

use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use underpass_crypto::Signer;
use underpass_crypto::algorithms::ed25519::Ed25519Key;
use underpass_proto::{
    Answer, ChannelId, ClientConfig, Config, Connection, Question, Role, ServerConfig, Verdict,
};

pub use self::end::End;
pub use self::work::{Job, Report, Sending, Taking, Then};
use crate::entropy::SeededEntropy;
use crate::link::{Link, Weather};

/// A client and a server under virtual time.
pub struct Pair {
    /// The client.
    pub client: End,
    /// The server.
    pub server: End,
    /// From the client to the server.
    pub up: Link,
    /// From the server to the client.
    pub down: Link,
    /// The server's host key.
    pub host_key: Arc<Ed25519Key>,
    seed: Seed,
    start: Instant,
    now: Instant,
}

/// What a pair is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Decides everything random.
    pub seed: u64,
    /// Of both links.
    pub weather: Weather,
    /// The client's configuration.
    pub client: Config,
    /// The server's configuration.
    pub server: Config,
}

impl Setup {
    /// Default configurations in calm weather.
    pub fn new(seed: u64) -> Self {
        Self { seed, weather: Weather::CALM, client: Config::default(), server: Config::default() }
    }
}

/// More steps than this are a loop.
const MAX_STEPS: u64 = 5_000_000;

/// What has not happened after this long does not happen: two idle sides would keep each other alive for ever.
const PATIENCE: Duration = Duration::from_secs(3600);

impl Pair {
    /// Both sides at the beginning, neither having sent anything.
    pub fn new(setup: Setup) -> Self {
        let Setup { seed, weather, client, server } = setup;
        let now = Instant::now();
        let host_key = Arc::new(Ed25519Key::generate(&mut SeededEntropy::new(seed ^ 0x6b65)));
        let server = ServerConfig { common: server, host_keys: vec![host_key.clone() as Arc<dyn Signer>] };
        let client = ClientConfig { common: client, user: "me".into() };
        let entropy = |salt| Box::new(SeededEntropy::new(seed.wrapping_mul(31).wrapping_add(salt)));
        let client = Connection::client(client, entropy(1), now).expect("the configuration can be sent");
        let server = Connection::server(server, entropy(2), now).expect("the configuration can be sent");
        Self {
            client: End::new(client, agreeable_client),
            server: End::new(server, agreeable_server),
            up: Link::new(seed.wrapping_mul(7).wrapping_add(3), weather),
            down: Link::new(seed.wrapping_mul(7).wrapping_add(4), weather),
            host_key,
            seed: Seed(seed),
            start: now,
            now,
        }
    }

    /// Both sides with default answers, logged on.
    #[track_caller]
    pub fn open(setup: Setup) -> Self {
        let mut pair = Self::new(setup);
        pair.run_until("logged on", |pair| pair.client.authenticated && pair.server.authenticated);
        pair
    }

    /// The engines, for whoever wants to drive them by hand. What is under way between them is lost.
    pub fn into_connections(self) -> (Connection, Connection) {
        (self.client.connection, self.server.connection)
    }

    /// The present moment.
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Time since the beginning.
    pub fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Opens a channel on which the client does one job and the server the other.
    #[track_caller]
    pub fn open_channel(&mut self, here: Job, there: Job) -> ChannelId {
        let direct = |connection: &mut Connection, host: &str, now| {
            connection.open_direct_tcpip((host, 1), ("127.0.0.1", 2), now)
        };
        self.open_channel_as(Role::Client, direct, here, there)
    }

    /// Opens a channel from either side, on which the opener does one job and the other side the other. `open` is
    /// given what the channel must name as its host, address or path, so that the other side finds its job.
    #[track_caller]
    pub fn open_channel_as(
        &mut self,
        opener: Role,
        open: impl FnOnce(&mut Connection, &str, Instant) -> Option<ChannelId>,
        here: Job,
        there: Job,
    ) -> ChannelId {
        let (opener, other) = match opener {
            Role::Client => (&mut self.client, &mut self.server),
            Role::Server => (&mut self.server, &mut self.client),
        };
        other.jobs.push(there);
        let name = (other.jobs.len() - 1).to_string();
        let id = open(&mut opener.connection, &name, self.now).expect("there is room for a channel");
        opener.add_worker(id, here);
        id
    }

    /// Goes on until `reached`.
    ///
    /// # Panics
    /// Nothing is left to happen, or it takes too many steps.
    #[track_caller]
    pub fn run_until(&mut self, what: &str, mut reached: impl FnMut(&mut Self) -> bool) {
        let end = self.now + PATIENCE;
        for _ in 0..MAX_STEPS {
            let moved = self.step();
            if reached(self) {
                return;
            }
            if !moved && !self.advance(Some(end)) {
                panic!("nothing is left to happen, but not: {what}\n{}", self.describe());
            }
        }
        panic!("too many steps without: {what}\n{}", self.describe());
    }

    /// Lets time pass and whatever happens happen.
    #[track_caller]
    pub fn run_for(&mut self, duration: Duration) {
        let end = self.now + duration;
        for _ in 0..MAX_STEPS {
            if !self.step() && !self.advance(Some(end)) {
                self.now = end;
                return;
            }
        }
        panic!("too many steps\n{}", self.describe());
    }

    /// Goes on until no channel is left on either side.
    #[track_caller]
    pub fn run_until_idle(&mut self) {
        self.run_until("all channels closed", |pair| pair.client.is_idle() && pair.server.is_idle());
    }

    /// Goes on until both connections are over.
    #[track_caller]
    pub fn run_until_closed(&mut self) {
        self.run_until("both sides closed", |pair| {
            pair.client.closed.is_some() && pair.server.closed.is_some()
        });
    }

    /// Everything that can happen at this moment, once. False if nothing did.
    fn step(&mut self) -> bool {
        let now = self.now;
        let mut moved = false;
        for end in [&mut self.client, &mut self.server] {
            if end.connection.poll_timeout().is_some_and(|due| due <= now) {
                end.connection.handle_timeout(now);
                moved = true;
            }
            moved |= end.work(now);
        }
        moved |= write(&mut self.client, &mut self.up, now);
        moved |= write(&mut self.server, &mut self.down, now);
        moved |= read(&mut self.server, &mut self.up, now);
        moved |= read(&mut self.client, &mut self.down, now);
        moved
    }

    /// Jumps to the next moment at which something happens, but not beyond `limit`.
    fn advance(&mut self, limit: Option<Instant>) -> bool {
        let arrivals = [(&self.up, &self.server), (&self.down, &self.client)].map(|(link, reader)| {
            match reader.heard_end {
                true => None,
                false => link.next_arrival(),
            }
        });
        let timeouts = [&self.client, &self.server].map(|end| end.connection.poll_timeout());
        let next = arrivals.into_iter().chain(timeouts).flatten().filter(|next| *next > self.now).min();
        match next {
            Some(next) if limit.is_none_or(|limit| next <= limit) => {
                self.now = next;
                true
            }
            _ => false,
        }
    }

    fn describe(&self) -> String {
        let mut text = format!("seed {}, after {:?}\n", self.seed.0, self.elapsed());
        for (name, end, link) in [("client", &self.client, &self.up), ("server", &self.server, &self.down)] {
            let timeout = end.connection.poll_timeout().map(|due| due.saturating_duration_since(self.now));
            let _ = writeln!(
                text,
                "{name}: wrote {} bytes, {} under way, {} to be written, next timeout {timeout:?}",
                link.taken(),
                link.in_flight(),
                end.connection.transmit().len(),
            );
            end.describe(&mut text);
        }
        text
    }
}

/// Names the seed when a test fails at something that the pair does not check itself.
#[derive(Debug)]
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the pair's seed was {}", self.0);
        }
    }
}

fn write(end: &mut End, link: &mut Link, now: Instant) -> bool {
    let count = match end.connection.transmit() {
        [] => 0,
        bytes => link.write(bytes, now),
    };
    end.connection.transmitted(count);
    if end.connection.is_closed() && end.connection.transmit().is_empty() {
        link.close(now);
    }
    count > 0
}

fn read(end: &mut End, link: &mut Link, now: Instant) -> bool {
    let count = link.read(end.connection.receive_space(), now);
    if count > 0 {
        end.connection.received(count, now);
        return true;
    }
    if link.is_at_end(now) && !end.heard_end {
        end.heard_end = true;
        end.connection.received_end(now);
        return true;
    }
    false
}

/// Accepts any host key and logs on with a password.
pub fn agreeable_client(question: &Question) -> Option<Answer> {
    match question {
        Question::HostKey { .. } => Some(Answer::HostKey(true)),
        Question::Credential { .. } => {
            Some(Answer::Credential(underpass_proto::Credential::Password("secret".into())))
        }
        _ => None,
    }
}

/// Accepts every user. Channels are accepted if there is a job for them.
pub fn agreeable_server(question: &Question) -> Option<Answer> {
    match question {
        Question::Authenticate { .. } => Some(Answer::Verdict(Verdict::Accept)),
        _ => None,
    }
}
