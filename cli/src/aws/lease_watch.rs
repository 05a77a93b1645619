//! Whether whoever holds the operator lease still renews it, as seen from here.
//!
//! A row says when it ends by the clock of the machine that wrote it, which may be wrong by minutes.
//! So a lease has run out when its row stayed the same for its whole length by the clock of whoever
//! watches it (DynamoDB's own lock client does the same).

use tokio::time::Instant;

use super::holder::{Holder, milliseconds, now};
use super::lease::LENGTH;

/// What the tries to take a lease saw of its holder.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    seen: Option<Seen>,
    renewed: bool,
}

#[derive(Debug)]
struct Seen {
    token: String,
    expires: u64,
    since: Instant,
}

impl Watch {
    /// Notes what was seen. True when it has not changed for as long as a lease lasts.
    pub(super) fn has_run_out(&mut self, holder: &Holder) -> bool {
        if let Some(seen) = &self.seen {
            if (&seen.token, seen.expires) == (&holder.token, holder.expires) {
                return seen.since.elapsed() >= LENGTH;
            }
            self.renewed = true;
        }
        self.seen = Some(Seen {
            token: holder.token.clone(),
            expires: holder.expires,
            since: Instant::now(),
        });
        false
    }

    /// Whether `holder` may well be dead: by the clock of this machine its lease has run out, or
    /// lasts longer than any, and nobody has renewed it since it was first seen.
    pub(crate) fn doubts(&self, holder: &Holder) -> bool {
        let now = now();
        let usual = now..=now + milliseconds(LENGTH);
        !self.renewed && !usual.contains(&holder.expires)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// A holder on a machine whose clock is off by so many seconds.
    fn holder(off: i64) -> Holder {
        let mut holder = Holder::this_process("up", LENGTH);
        holder.expires = holder.expires.saturating_add_signed(off * 1000);
        holder
    }

    #[tokio::test(start_paused = true)]
    async fn what_stays_as_it_is_for_the_whole_length_has_run_out() {
        for off in [-7200, 0, 7200] {
            let (mut watch, holder) = (Watch::default(), holder(off));
            assert!(!watch.has_run_out(&holder));
            let moment = Duration::from_millis(1);
            tokio::time::advance(LENGTH.saturating_sub(moment)).await;
            assert!(!watch.has_run_out(&holder));
            tokio::time::advance(moment).await;
            assert!(watch.has_run_out(&holder));
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_holder_that_renews_lives_whatever_its_clock_says() {
        let (mut watch, mut holder) = (Watch::default(), holder(-7200));
        for _ in 0..20 {
            assert!(!watch.has_run_out(&holder));
            tokio::time::advance(Duration::from_secs(10)).await;
            holder.expires += 10_000;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn another_holder_begins_anew() {
        let mut watch = Watch::default();
        assert!(!watch.has_run_out(&holder(0)));
        tokio::time::advance(LENGTH).await;
        assert!(!watch.has_run_out(&holder(0)));
    }

    #[tokio::test(start_paused = true)]
    async fn there_is_doubt_where_the_clock_speaks_against_it_and_no_renewal_for_it() {
        let mut watch = Watch::default();
        assert!(!watch.doubts(&holder(-1)));
        let mut late = holder(-120);
        assert!(watch.doubts(&late) && watch.doubts(&holder(120)));
        watch.has_run_out(&late);
        assert!(watch.doubts(&late));
        late.expires += 10_000;
        watch.has_run_out(&late);
        assert!(!watch.doubts(&late));
    }
}
