//! `-J`: what the command line and the files mean for a hop.

use std::collections::VecDeque;

use underpass::{Destination, Error};
use underpass_config::Surroundings;
use underpass_wire::Untrusted;

use crate::{args::Args, config_files, parse::Reader};

/// The arguments for each hop, in the order in which they are reached. As with ssh, which starts itself for them, the
/// first one may have hops of its own in the files, and so may the first of those.
///
/// # Errors
/// A mistake in a file, or hops without an end.
pub(crate) fn args_of_all(args: &Args, machine: &dyn Surroundings) -> Result<VecDeque<Args>, Error> {
    let mut hops = VecDeque::new();
    let mut before = args.server.jumps.clone().unwrap_or_default();
    while !before.is_empty() {
        if hops.len() + before.len() > MAX_HOPS {
            return Err(endless(&before));
        }
        for hop in before.iter().rev() {
            hops.push_front(args_of(args, hop, machine)?);
        }
        let first = hops.front_mut().and_then(|first: &mut Args| first.server.jumps.take());
        before = first.unwrap_or_default();
    }
    for (at, hop) in hops.iter_mut().enumerate() {
        hop.server.jumps = None;
        match at {
            0 => begin_at_network(hop, args),
            _ => hop.server.proxy_command = None,
        }
    }
    Ok(hops)
}

/// The arguments for a hop. The files say what holds for its name; where they say nothing, what the command line says of
/// keys, host keys, algorithms and timing holds for hops, too. What it says of the destination alone does not.
fn args_of(args: &Args, hop: &Destination, machine: &dyn Surroundings) -> Result<Args, Error> {
    let mut reader = Reader::for_hop(hop.clone(), args.config_file.clone())?;
    // What the files say that is of no use was told when they were read for the destination.
    config_files::apply(&mut reader, machine)?;
    let mut own = reader.finish()?;
    own.forwards = Default::default();
    inherit(&mut own, args);
    Ok(own)
}

/// The way to the network is the first hop's.
fn begin_at_network(own: &mut Args, args: &Args) {
    own.server.proxy = args.server.proxy.clone();
    own.server.proxy_headers = args.server.proxy_headers.clone();
    own.server.proxy_exceptions = args.server.proxy_exceptions.clone();
    own.server.local_address = own.server.local_address.or(args.server.local_address);
    own.server.local_port = own.server.local_port.or(args.server.local_port);
    own.server.proxy_command = own.server.proxy_command.take().or_else(|| args.server.proxy_command.clone());
}

fn endless(hops: &[Destination]) -> Error {
    let name = hops.first().map(|hop| Untrusted(hop.host.as_bytes()).to_string()).unwrap_or_default();
    Error::configuration(format!(
        "there are more than {MAX_HOPS} hops before the server; `{name}` is one of them"
    ))
    .with_advice("look for hosts that name each other in ProxyJump; `ProxyJump none` ends such a chain")
}

fn inherit(own: &mut Args, args: &Args) {
    if own.login.identity_files.is_empty() {
        own.login.identity_files.clone_from(&args.login.identity_files);
        // Each belongs to one of those.
        if own.login.certificate_files.is_empty() && own.login.certificates.is_empty() {
            own.login.certificate_files.clone_from(&args.login.certificate_files);
            own.login.certificates.clone_from(&args.login.certificates);
        }
    }
    or(&mut own.login.pkcs11_provider, args.login.pkcs11_provider.clone());
    or(&mut own.login.identities_only, args.login.identities_only);
    or(&mut own.login.agent, args.login.agent);
    or(&mut own.login.agent_socket, args.login.agent_socket.clone());
    or(&mut own.login.batch, args.login.batch);
    or(&mut own.login.password_prompts, args.login.password_prompts);
    or(&mut own.host_key.policy, args.host_key.policy);
    or(&mut own.host_key.fingerprint_hash, args.host_key.fingerprint_hash);
    or(&mut own.host_key.user_files, args.host_key.user_files.clone());
    or(&mut own.host_key.global_files, args.host_key.global_files.clone());
    or(&mut own.algorithms.ciphers, args.algorithms.ciphers.clone());
    or(&mut own.algorithms.macs, args.algorithms.macs.clone());
    or(&mut own.algorithms.kex, args.algorithms.kex.clone());
    or(&mut own.algorithms.host_keys, args.algorithms.host_keys.clone());
    or(&mut own.algorithms.public_keys, args.algorithms.public_keys.clone());
    or(&mut own.algorithms.compression, args.algorithms.compression);
    or(&mut own.liveness.interval, args.liveness.interval);
    or(&mut own.liveness.count, args.liveness.count);
    or(&mut own.liveness.tcp_keepalive, args.liveness.tcp_keepalive);
    or(&mut own.liveness.rekey, args.liveness.rekey);
    or(&mut own.server.family, args.server.family);
    or(&mut own.server.connect_timeout, args.server.connect_timeout);
    own.sockets = args.sockets.clone();
    // No file says anything of these.
    own.protocol = args.protocol.clone();
}

fn or<T>(own: &mut Option<T>, other: Option<T>) {
    if own.is_none() {
        *own = other;
    }
}

/// The most servers before the one that is wanted. Nobody has so many; hosts that name each other have no end.
const MAX_HOPS: usize = 16;

#[cfg(test)]
mod tests {
    use std::ffi::OsString;

    use super::*;
    use crate::{machine::fake::Fake, parse::read};

    fn hops(line: &str, config: &str) -> Result<Vec<Args>, Error> {
        let machine = Fake::new().file("/home/me/.ssh/config", config);
        let mut reader = read(line.split(' ').map(OsString::from))?;
        config_files::apply(&mut reader, &machine)?;
        Ok(args_of_all(&reader.finish()?, &machine)?.into())
    }

    fn names(hops: &[Args]) -> Vec<&str> {
        hops.iter().map(|hop| hop.destination.as_ref().unwrap().host.as_str()).collect()
    }

    const CHAIN: &str = "Host db\n ProxyJump inner\nHost inner\n ProxyJump outer\n User in\nHost outer\n ProxyCommand nc %h %p\n";

    #[test]
    fn the_first_hop_may_have_hops_of_its_own() {
        let chain = hops("db", CHAIN).unwrap();
        assert_eq!(names(&chain), ["outer", "inner"]);
        assert_eq!(chain[0].server.proxy_command.as_deref(), Some("nc %h %p"));
        assert_eq!((chain[1].login.user.as_deref(), &chain[1].server.proxy_command), (Some("in"), &None));
        assert_eq!(names(&hops("-J inner,last db", CHAIN).unwrap()), ["outer", "inner", "last"]);
        assert_eq!(names(&hops("-J first,inner db", CHAIN).unwrap()), ["first", "inner"]);
        assert_eq!(names(&hops("-J inner -F none db", CHAIN).unwrap()), ["inner"]);
    }

    #[test]
    fn the_way_to_the_network_is_the_first_ones() {
        let chain = hops("--proxy http://p:1 -o BindAddress=127.0.0.2 db", CHAIN).unwrap();
        assert!(chain[0].server.proxy.is_some() && chain[0].server.local_address.is_some());
        assert!(chain[1].server.proxy.is_none() && chain[1].server.local_address.is_none());
    }

    #[test]
    fn hosts_that_name_each_other_are_found_out() {
        let config = "Host a\n ProxyJump b\nHost b\n ProxyJump a\n";
        let error = hops("a", config).unwrap_err();
        assert!(error.to_string().contains("more than 16 hops"), "{error}");
        assert!(error.advice().unwrap().contains("ProxyJump none"));
        let ended = "Host a\n ProxyJump b\nHost b\n ProxyJump none\nHost *\n ProxyJump c\n";
        assert_eq!(names(&hops("a", ended).unwrap()), ["b"]);
    }
}
