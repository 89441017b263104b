//! `-W`: standard input and output as one end of a connection.

use std::io;

use tokio::io::{AsyncWriteExt as _, copy};
use underpass::{Endpoint, Error, Step, Tunnel};

/// Connects standard input and output to `target` until the target has ended its half.
///
/// # Errors
/// The target was not reached, or the connection broke.
pub(crate) async fn carry(tunnel: &Tunnel, target: &Endpoint) -> Result<(), Error> {
    let (mut from_target, mut to_target) = tokio::io::split(tunnel.connect(target.clone()).await?);
    let (mut input, mut output) = (tokio::io::stdin(), tokio::io::stdout());
    let up = async {
        copy(&mut input, &mut to_target).await?;
        to_target.shutdown().await?;
        // The answer may be all that is still to come.
        std::future::pending::<io::Result<()>>().await
    };
    let down = async {
        copy(&mut from_target, &mut output).await?;
        output.flush().await
    };
    // Whoever has heard the end of the answer does not have to end its question.
    let carried = tokio::select! {
        carried = up => carried,
        carried = down => carried,
    };
    carried.map_err(|error| match error.kind() {
        // Whoever read our output has gone away, as `head` does: that is its business.
        io::ErrorKind::BrokenPipe => Error::stopped(),
        _ => Error::lost(Step::Carry, &target.to_string(), Some(error)),
    })
}
