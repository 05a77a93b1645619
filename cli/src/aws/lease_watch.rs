//! Whether whoever holds the operator lease still renews it, as seen from here.
//!
//! A row says when it ends by the clock of the machine that wrote it, which may be wrong by minutes.
//! So a lease has run out when its row stayed the same for its whole length by the clock of whoever
//! watches it (DynamoDB's own lock client does the same).

use tokio::time::Instant;

use super::holder::Holder;
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

    /// Whether `holder` may be dead: it is no process of this machine that can be seen to live, and
    /// has not renewed its lease since it was first seen. Who lives renews it within some seconds.
    pub(crate) fn doubts(&self, holder: &Holder) -> bool {
        !self.renewed && !holder.lives_here()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sdk_dynamodb::types::AttributeValue;

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
    async fn who_is_not_seen_to_live_is_doubted_until_the_first_renewal() {
        let watch = Watch::default();
        assert!(!watch.doubts(&holder(-120)), "it is this process");
        for off in [-120, 0, 120] {
            let mut row = holder(off).to_row();
            let elsewhere = AttributeValue::S("another".to_owned());
            row.insert("machine".to_owned(), elsewhere);
            let mut elsewhere = Holder::from_row(&row);
            let mut watch = Watch::default();
            for _ in 0..2 {
                watch.has_run_out(&elsewhere);
                assert!(watch.doubts(&elsewhere));
            }
            elsewhere.expires += 10_000;
            watch.has_run_out(&elsewhere);
            assert!(!watch.doubts(&elsewhere));
        }
    }
}
