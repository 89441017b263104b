//! Between connecting and logging on.

use std::fmt;
use std::sync::Arc;

use crate::connect::{LogOn, Route};
use crate::forwards::Forwards;
use crate::supervisor::{Approach, Shared, Supervisor};
use crate::{Builder, Error, Event, ServerConnection, Settings, Tunnel};

/// A connection to the server that is secured, with nobody logged on yet: keys are agreed on, and the server's key was
/// found good. Dropped, it is closed.
///
/// No deadline runs. Servers have one: OpenSSH's closes a connection after two minutes on which nobody is logged on.
pub struct Connected {
    shared: Arc<Shared>,
    forwards: Forwards,
    supervisor: Supervisor,
    approach: Approach,
}

impl Builder {
    /// Connects and checks the host key, as [`open`](Self::open) does, and leaves it at that: for programs that want to
    /// know the server before they give anything away, or log on at a moment of their own choice. Hops are logged on to,
    /// since there is no other way through them. Ports on this machine are taken, and served once somebody is logged on.
    ///
    /// ```no_run
    /// # async fn example(password_for: fn() -> String) -> Result<(), underpass::Error> {
    /// use underpass::Tunnel;
    ///
    /// let connected = Tunnel::builder("me@bastion").local_forward("0:db:5432").connect().await?;
    /// println!("it is the server, and it waits");
    /// let tunnel = connected.log_on().await?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The first step that failed; nothing of the tunnel is left then.
    pub async fn connect(self) -> Result<Connected, Error> {
        let settings = Arc::new(self.settings()?);
        told(&settings, Connected::begin(settings.clone(), LogOn::Later).await)
    }

    /// Connects, checks the host key, logs on and listens. Dropping the future gives up and leaves nothing behind.
    ///
    /// Must be called within a tokio runtime with I/O and time enabled, which then carries the tunnel.
    ///
    /// # Errors
    /// The first step that failed; nothing of the tunnel is left then.
    pub async fn open(self) -> Result<Tunnel, Error> {
        let settings = Arc::new(self.settings()?);
        let connected = Connected::begin(settings.clone(), LogOn::AtOnce).await;
        told(&settings, connected)?.log_on().await
    }
}

impl Connected {
    async fn begin(settings: Arc<Settings>, log_on: LogOn) -> Result<Self, Error> {
        let route = Route::plan(&settings).await?;
        let shared = Arc::new(Shared::new(settings));
        // Ports are taken before anything secret is sent, and served once somebody is logged on.
        let forwards = Forwards::bind(&shared).await?;
        let mut supervisor = Supervisor::new(shared.clone(), route);
        let approach = supervisor.secure(log_on).await?;
        Ok(Self { shared, forwards, supervisor, approach })
    }

    /// Logs on and listens. [`Settings::auth_timeout`] begins now. Where
    /// [`Reconnect::always`](crate::Reconnect::always) has failures tried again, that is on new connections. Dropping the
    /// future gives up and leaves nothing behind.
    ///
    /// # Errors
    /// The first step that failed; nothing of the tunnel is left then.
    pub async fn log_on(self) -> Result<Tunnel, Error> {
        let Self { shared, forwards, mut supervisor, approach } = self;
        let settings = shared.settings.clone();
        let result = async {
            let live = supervisor.log_on(approach).await?;
            Tunnel::start(shared, forwards, supervisor, live).await
        };
        told(&settings, result.await)
    }

    /// The ends of the TCP connection to the server, see [`Tunnel::server_connection`].
    pub fn server_connection(&self) -> Option<ServerConnection> {
        self.approach.server_connection()
    }

    /// Waits until the connection breaks, and tells why. The future holds nothing of the connection.
    pub fn lost(&self) -> impl Future<Output = Error> + Send + use<> {
        self.approach.lost()
    }
}

/// A tunnel that does not come about has ended.
fn told<T>(settings: &Settings, result: Result<T, Error>) -> Result<T, Error> {
    if let Err(error) = &result {
        settings.tell(|| Event::Closed { error: Some(error.clone()) });
    }
    result
}

impl fmt::Debug for Connected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connected").field("host", &self.shared.settings.host).finish_non_exhaustive()
    }
}
