//! A save that dies at each of its calls to Redis, before the call takes effect and after: nothing
//! is lost, and nothing is there twice.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use place_config::Function as Kind;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Notify;

use crate::saves::Run;

/// Calls after which a save of one round must have ended.
const MOST_CALLS: usize = 100;
/// Longer than Redis takes for a call. A script whose caller has hung up before it begins is never
/// run.
const EFFECT: Duration = Duration::from_millis(20);

/// When the caller dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Moment {
    /// Redis never hears of the call.
    Before,
    /// Redis has done what was asked, and nobody hears of that.
    After,
}

/// Between a function and Redis: says when a call of a certain number comes, and holds it up.
#[derive(Clone, Debug)]
struct Door {
    port: u16,
    plan: Arc<Mutex<(usize, Moment)>>,
    struck: Arc<Notify>,
}

impl Door {
    /// A door before the Redis at `redis`, which lets everything pass.
    async fn open(redis: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let door = Self {
            port: listener.local_addr().unwrap().port(),
            plan: Arc::new(Mutex::new((0, Moment::Before))),
            struck: Arc::new(Notify::new()),
        };
        let doorman = door.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let doorman = doorman.clone();
                // A caller that is killed breaks its connection.
                tokio::spawn(async move { drop(doorman.pass_on(client, redis).await) });
            }
        });
        door
    }

    fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// From now on the call `number` is held up.
    fn plan(&self, number: usize, moment: Moment) {
        *self.plan.lock().unwrap() = (number, moment);
    }

    /// Whether a call that comes now is the one, and when its caller dies.
    fn is_due(&self) -> Option<Moment> {
        let mut plan = self.plan.lock().unwrap();
        let due = plan.0 == 1;
        plan.0 = plan.0.saturating_sub(1);
        due.then_some(plan.1)
    }

    async fn pass_on(self, mut client: TcpStream, redis: u16) -> std::io::Result<()> {
        let mut server = TcpStream::connect(("127.0.0.1", redis)).await?;
        let (mut call, mut answer) = (vec![0; 1 << 20], vec![0; 1 << 20]);
        loop {
            tokio::select! {
                length = client.read(&mut call) => match length? {
                    0 => return Ok(()),
                    length => match self.is_due() {
                        Some(moment) => self.hold_up(moment, &call[..length], &mut server).await?,
                        None => server.write_all(&call[..length]).await?,
                    },
                },
                length = server.read(&mut answer) => match length? {
                    0 => return Ok(()),
                    length => client.write_all(&answer[..length]).await?,
                },
            }
        }
    }

    async fn hold_up(
        &self,
        moment: Moment,
        call: &[u8],
        server: &mut TcpStream,
    ) -> std::io::Result<()> {
        if moment == Moment::After {
            server.write_all(call).await?;
            tokio::time::sleep(EFFECT).await;
        }
        self.struck.notify_one();
        // The connection stays: its caller is to be killed, and not to call again.
        std::future::pending().await
    }
}

/// Whether a save died at its call `number`; otherwise it ended before.
async fn killed_save(run: &mut Run, door: &Door, number: usize, moment: Moment) -> bool {
    door.plan(number, moment);
    let redis = std::mem::replace(&mut run.rig.env.redis_url, door.url());
    let save = run.rig.function(Kind::Save);
    run.rig.env.redis_url = redis;
    let saving = save.begin("{}", Duration::from_mins(1));
    tokio::select! {
        biased;
        () = door.struck.notified() => save.kill(),
        ended = saving.answer() => {
            let _ = ended.unwrap();
            door.plan(0, moment);
            return false;
        }
    }
    true
}

async fn killed_at_each_call(moment: Moment) {
    let mut run = Run::new().await;
    let door = Door::open(run.rig.redis.port()).await;
    let (mut deaths, mut leases) = (0, 0);
    for number in 1..MOST_CALLS {
        run.paint().await;
        if !killed_save(&mut run, &door, number, moment).await {
            break;
        }
        deaths += 1;
        leases += usize::from(run.drop_lease().await);
        run.save().await;
        run.assert_lossless().await;
    }
    // Taking the lease, reading, noting what is in doubt, settling it, marking what is saved.
    assert!((8..MOST_CALLS - 1).contains(&deaths), "{deaths} deaths");
    assert!(leases >= 5, "{leases} of {deaths} held the lease");
}

#[tokio::test]
async fn row_4_6_a_save_killed_before_a_call_of_the_cache_loses_nothing() {
    killed_at_each_call(Moment::Before).await;
}

#[tokio::test]
async fn row_4_6_a_save_killed_after_a_call_of_the_cache_took_effect_loses_nothing() {
    killed_at_each_call(Moment::After).await;
}
