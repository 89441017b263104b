//! A tap sees what an adopted connection carries, and can hold it up.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use underpass::{Adopt, Direction, Tap};
use underpass_testkit::Payload;
use underpass_testkit::target::Target;

use crate::adopting::turns;
use crate::dynamic_forward::{HELLO, request};
use crate::support::{Bastion, accepted, echo, within};

/// Remembers what it sees, up to the room that it has.
struct Glass {
    seen: [Mutex<Vec<u8>>; 2],
    room: [AtomicUsize; 2],
}

impl Glass {
    fn new(to_target: usize, to_client: usize) -> Arc<Self> {
        Arc::new(Self { seen: Default::default(), room: [to_target.into(), to_client.into()] })
    }

    fn seen(&self, direction: Direction) -> Vec<u8> {
        self.seen[direction as usize].lock().unwrap().clone()
    }

    fn grant(&self, direction: Direction, more: usize) {
        self.room[direction as usize].fetch_add(more, Ordering::SeqCst);
    }
}

impl Tap for Glass {
    fn room(&self, direction: Direction) -> usize {
        self.room[direction as usize].load(Ordering::SeqCst)
    }

    fn carried(&self, direction: Direction, bytes: &[u8]) {
        assert!(!bytes.is_empty());
        let room = self.room[direction as usize].fetch_sub(bytes.len(), Ordering::SeqCst);
        assert!(bytes.len() <= room, "more than it has room for");
        self.seen[direction as usize].lock().unwrap().extend_from_slice(bytes);
    }
}

const AMPLE: usize = usize::MAX / 2;

fn payload(number: u64, length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    Payload::new(number).fill(0, &mut bytes);
    bytes
}

#[tokio::test]
async fn it_sees_everything_once_and_in_order_both_ways() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().open().await.unwrap();
    let ((client, socket), glass) = (accepted().await, Glass::new(AMPLE, AMPLE));
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).tap(glass.clone()));
    within(echo(client, Payload::new(1), 5_000_000)).await.unwrap();
    within(adopted.ended()).await;
    let sent = payload(1, 5_000_000);
    assert!(glass.seen(Direction::ToTarget) == sent);
    assert!(glass.seen(Direction::ToClient) == sent);
}

#[tokio::test]
async fn it_sees_what_comes_with_a_request_and_neither_the_request_nor_the_programs_words() {
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().open().await.unwrap();
    let ((mut client, socket), glass) = (accepted().await, Glass::new(AMPLE, AMPLE));
    let adopted = tunnel.adopt(socket, Adopt::dynamic().tap(glass.clone()));
    client.write_all(&[&HELLO[..], &request(1, target.address()), b"early"].concat()).await.unwrap();
    let mut replies = [0; 12 + 5];
    within(client.read_exact(&mut replies)).await.unwrap();
    turns(&adopted, &mut client).await;
    assert_eq!(glass.seen(Direction::ToTarget), b"early");
    assert_eq!(glass.seen(Direction::ToClient), b"early");
}

#[tokio::test]
async fn a_target_gets_nothing_beyond_the_room_until_it_is_resumed() {
    const FIRST: usize = 1000;
    let (bastion, target) = (Bastion::start().await, Target::Echo.start().unwrap());
    let tunnel = bastion.builder().open().await.unwrap();
    let ((client, socket), glass) = (accepted().await, Glass::new(FIRST, AMPLE));
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).tap(glass.clone()));
    let sent = payload(2, 3_000_000);
    let (mut read, mut write) = client.into_split();
    let writing = tokio::spawn({
        let sent = sent.clone();
        async move {
            write.write_all(&sent).await.unwrap();
            write.shutdown().await.unwrap();
        }
    });
    // The echo of what the target got, and then only what the program says: nothing more came in between.
    let mut back = vec![0; FIRST];
    within(read.read_exact(&mut back)).await.unwrap();
    assert_eq!(adopted.send(b"stopped").unwrap(), 7);
    let mut word = [0; 7];
    within(read.read_exact(&mut word)).await.unwrap();
    assert_eq!(&word, b"stopped");
    assert_eq!(adopted.sent(), FIRST as u64);
    // A little, then all.
    glass.grant(Direction::ToTarget, 1);
    adopted.resume();
    back.push(within(read.read_u8()).await.unwrap());
    glass.grant(Direction::ToTarget, AMPLE);
    adopted.resume();
    within(read.read_to_end(&mut back)).await.unwrap();
    writing.await.unwrap();
    assert!(back == sent && glass.seen(Direction::ToTarget) == sent);
}

#[tokio::test]
async fn a_client_gets_nothing_beyond_the_room_until_it_is_resumed() {
    const FIRST: usize = 70_000;
    const LENGTH: usize = 8_000_000;
    let bastion = Bastion::start().await;
    let target = Target::Source(Payload::new(3), LENGTH as u64).start().unwrap();
    let tunnel = bastion.builder().open().await.unwrap();
    let ((mut client, socket), glass) = (accepted().await, Glass::new(AMPLE, FIRST));
    let adopted = tunnel.adopt(socket, Adopt::to(target.address()).tap(glass.clone()));
    let mut all = vec![0; FIRST];
    within(client.read_exact(&mut all)).await.unwrap();
    // There is more, and the client reads nothing but these.
    turns(&adopted, &mut client).await;
    assert_eq!(adopted.received(), FIRST as u64);
    glass.grant(Direction::ToClient, LENGTH - FIRST);
    adopted.resume();
    // The end needs no room: there is none left.
    within(client.read_to_end(&mut all)).await.unwrap();
    let source = payload(3, LENGTH);
    assert!(all == source && glass.seen(Direction::ToClient) == source);
    assert_eq!(glass.room(Direction::ToClient), 0);
}
