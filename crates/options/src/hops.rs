//! `-J`: what the command line and the files mean for a hop.

use underpass::{Destination, Error};
use underpass_config::Surroundings;

use crate::{args::Args, config_files, parse::Reader};

/// The arguments for a hop. The files say what holds for its name; where they say nothing, what the command line says of
/// keys, host keys, algorithms and timing holds for hops, too. What it says of the destination alone does not, and the
/// way to the network is the first hop's.
///
/// # Errors
/// A mistake in a file, or a hop that has hops of its own.
pub(crate) fn args_of(
    args: &Args,
    hop: &Destination,
    first: bool,
    machine: &dyn Surroundings,
) -> Result<Args, Error> {
    let mut reader = Reader::for_hop(hop.clone(), args.config_file.clone())?;
    // What the files say that is of no use was told when they were read for the destination.
    config_files::apply(&mut reader, machine)?;
    let mut own = reader.finish()?;
    own.server.jumps = None;
    own.forwards = Default::default();
    if first {
        own.server.proxy = args.server.proxy.clone();
        own.server.proxy_headers = args.server.proxy_headers.clone();
        own.server.local_address = own.server.local_address.or(args.server.local_address);
        own.server.local_port = own.server.local_port.or(args.server.local_port);
        own.server.proxy_command = own.server.proxy_command.or_else(|| args.server.proxy_command.clone());
    } else {
        own.server.proxy_command = None;
    }
    inherit(&mut own, args);
    Ok(own)
}

fn inherit(own: &mut Args, args: &Args) {
    if own.login.identity_files.is_empty() {
        own.login.identity_files.clone_from(&args.login.identity_files);
    }
    or(&mut own.login.identities_only, args.login.identities_only);
    or(&mut own.login.batch, args.login.batch);
    or(&mut own.login.password_prompts, args.login.password_prompts);
    or(&mut own.host_key.policy, args.host_key.policy);
    or(&mut own.host_key.user_files, args.host_key.user_files.clone());
    or(&mut own.host_key.global_files, args.host_key.global_files.clone());
    or(&mut own.algorithms.ciphers, args.algorithms.ciphers.clone());
    or(&mut own.algorithms.macs, args.algorithms.macs.clone());
    or(&mut own.algorithms.kex, args.algorithms.kex.clone());
    or(&mut own.algorithms.host_keys, args.algorithms.host_keys.clone());
    or(&mut own.algorithms.public_keys, args.algorithms.public_keys.clone());
    or(&mut own.liveness.interval, args.liveness.interval);
    or(&mut own.liveness.count, args.liveness.count);
    or(&mut own.liveness.tcp_keepalive, args.liveness.tcp_keepalive);
    or(&mut own.liveness.rekey, args.liveness.rekey);
    or(&mut own.server.family, args.server.family);
    or(&mut own.server.connect_timeout, args.server.connect_timeout);
    own.sockets = args.sockets.clone();
}

fn or<T>(own: &mut Option<T>, other: Option<T>) {
    if own.is_none() {
        *own = other;
    }
}
