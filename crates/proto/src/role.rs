/// Which side of the connection the engine plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Connects, logs on, opens channels.
    Client,
    /// Is connected to.
    Server,
}
