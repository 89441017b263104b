//! Proxies on the way to the server, as far as settings decide about them.

use underpass::{ErrorKind, Proxy};
use underpass_testkit::target::Refusing;

use crate::support::{Bastion, refused, within};

#[tokio::test]
async fn exceptions_are_reached_without_the_proxy() {
    let (bastion, nobody) = (Bastion::start().await, Refusing::start().unwrap());
    let proxy = Proxy::parse(&format!("socks5://{}", nobody.address())).unwrap();
    let builder = bastion.builder().proxy(proxy);
    for others in ["", "10.0.0.0/8; *.example.com"] {
        let error = refused(builder.clone().proxy_exceptions(others)).await;
        assert!(matches!(error.kind(), ErrorKind::Proxy { .. }), "{error}");
    }
    within(builder.proxy_exceptions("*.example.com; 127.0.0.0/8").open()).await.unwrap();
}
