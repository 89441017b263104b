//! Somebody who sees what a connection carries.

/// Which way bytes go through an adopted connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// From the client to the target.
    ToTarget,
    /// From the target to the client.
    ToClient,
}

/// Sees what an adopted connection carries, and can hold it up; see [`Adopt::tap`](crate::Adopt::tap).
///
/// It is called on the task that carries all connections of the tunnel, which waits for it: it must not block, and should
/// only note or hand over what it gets. If it panics, the tunnel ends.
///
/// ```
/// use std::sync::Mutex;
///
/// use underpass::{Direction, Tap};
///
/// /// Keeps the first bytes that a client says.
/// struct Head(Mutex<Vec<u8>>);
///
/// impl Tap for Head {
///     fn carried(&self, direction: Direction, bytes: &[u8]) {
///         let mut head = self.0.lock().expect("nobody panics while it is held");
///         if direction == Direction::ToTarget && head.len() < 64 {
///             head.extend_from_slice(bytes);
///         }
///     }
/// }
/// ```
pub trait Tap: Send + Sync {
    /// How many bytes it takes in this direction at the moment. No more than that are carried; when it says 0, the
    /// direction stops until [`Adopted::resume`](crate::Adopted::resume), and whoever sends is held up. An end that
    /// follows the last bytes needs no room.
    fn room(&self, direction: Direction) -> usize {
        let _ = direction;
        usize::MAX
    }

    /// These bytes are carried: from the client into the SSH connection, or to the client's socket. It sees each byte
    /// once and in order; what a client says to be proxied, and what the program [sends](crate::Adopted::send), is not
    /// among them.
    fn carried(&self, direction: Direction, bytes: &[u8]);
}

/// Shows a tap the first `count` bytes of these runs.
pub(crate) fn show<'a>(
    tap: &dyn Tap,
    direction: Direction,
    runs: impl Iterator<Item = &'a [u8]>,
    mut count: usize,
) {
    for run in runs {
        let part = &run[..run.len().min(count)];
        count -= part.len();
        if part.is_empty() {
            break;
        }
        tap.carried(direction, part);
    }
}
