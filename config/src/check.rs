//! Rules between and beyond the types: ranges, AWS's name patterns, limits of a service.

mod names;

use std::fmt::Display;
use std::net::Ipv4Addr;
use std::ops::RangeInclusive;

use crate::load::Finding;
use crate::memory;
use crate::stack::{EndpointsConfig, PageConfig, StackConfig, VpcMode};

/// Days that `PutRetentionPolicy` of CloudWatch Logs accepts.
const RETENTION_DAYS: [u32; 22] = [
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
    3288, 3653,
];

/// Memory of a function that holds no canvas, in MiB: 8 at rest, 28 with 10,000 clients, and room
/// to spare.
const REST_MIB: u64 = 48;
/// Most bytes that a pixel of the canvas takes in a function: the picture and its PNG file while it
/// is encoded, then the file and its frames in base64.
///
/// Measured by `make bench-place` ("the picture of a newcomer"), the peak of initializeConnection:
/// 63 MiB for a painting of 4096 x 4096 and 131 for noise, 224 and 494 for 8192 x 8192; so a pixel
/// takes 3.5 to 7.8 bytes.
const PIXEL_BYTES: u64 = 8;

/// The memory that a function needs to send a canvas of so many pixels to a newcomer, in MiB.
///
/// initializeConnection needs the most; admin and save read the canvas too.
const fn canvas_memory_mib(pixels: u64) -> u64 {
    REST_MIB + (pixels * PIXEL_BYTES).div_ceil(1024 * 1024)
}

impl StackConfig {
    /// Everything that AWS, the protocol or plain sense would refuse.
    pub fn check(&self) -> Vec<Finding> {
        let mut rules = Rules::default();
        rules.stack(self);
        rules.canvas(self);
        rules.delivery(self);
        rules.functions(self);
        rules.services(self);
        rules.names(self);
        rules.page(&self.page);
        rules.endpoints(&self.endpoints);
        rules.findings
    }
}

#[derive(Default)]
struct Rules {
    findings: Vec<Finding>,
}

impl Rules {
    fn demand(&mut self, holds: bool, key: &str, message: impl FnOnce() -> String) {
        if !holds {
            self.findings.push(Finding::new(key, message()));
        }
    }

    fn range<T: Copy + PartialOrd + Display>(
        &mut self,
        key: &str,
        value: T,
        range: RangeInclusive<T>,
    ) {
        let (from, to) = (range.start(), range.end());
        self.demand(range.contains(&value), key, || {
            format!("is {value}, allowed: {from} to {to}")
        });
    }

    fn stack(&mut self, config: &StackConfig) {
        let stack = &config.stack;
        let fits = (1..=20).contains(&stack.len())
            && stack.starts_with(|c: char| c.is_ascii_lowercase())
            && stack
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
            && !stack.ends_with('-')
            && !stack.contains("--");
        self.demand(fits, "stack", || {
            format!(
                "is `{stack}`, allowed: 1 to 20 of a-z, 0-9 and single hyphens, a letter first, \
                 no hyphen last"
            )
        });
        self.range("attempt_timeout_s", config.attempt_timeout_s, 1..=900);
    }

    fn canvas(&mut self, config: &StackConfig) {
        let canvas = &config.canvas;
        self.range("canvas.width", canvas.width, 1..=u16::MAX);
        self.range("canvas.height", canvas.height, 1..=u16::MAX);
        // SETRANGE ends at 512 MB, a function has 10 GB at most, and a picture is held in memory.
        let bytes = u64::from(canvas.width) * u64::from(canvas.height) * 3;
        self.demand(bytes <= 512 * 1024 * 1024, "canvas.width", || {
            format!(
                "x `canvas.height` is {} MiB, allowed: 512 MiB, the limit of a Redis string",
                bytes / (1024 * 1024)
            )
        });
        self.demand(is_colour(&canvas.background), "canvas.background", || {
            format!(
                "is `{}`, allowed: a colour like `#ff8800`",
                canvas.background
            )
        });
        // One paint's records must fit one update frame: 7 bytes each, in base64, and an envelope.
        let fits_a_frame = config.api.frame_bytes.saturating_sub(256) / 4 * 3 / 7;
        let most = fits_a_frame.clamp(1, 2000);
        self.range(
            "canvas.max_pixels_per_message",
            canvas.max_pixels_per_message,
            1..=most,
        );
        self.range(
            "canvas.max_unsaved_changes",
            canvas.max_unsaved_changes,
            1000..=100_000_000,
        );
        self.range("canvas.cooldown_ms", canvas.cooldown_ms, 0..=86_400_000);
    }

    fn delivery(&mut self, config: &StackConfig) {
        let broadcast = &config.broadcast;
        self.range("broadcast.tick_ms", broadcast.tick_ms, 10..=60_000);
        if let Some(posts) = broadcast.max_posts_per_second {
            self.range("broadcast.max_posts_per_second", posts, 1..=1_000_000);
        }
        self.range("broadcast.shards", broadcast.shards, 1..=64);
        self.range("broadcast.concurrency", broadcast.concurrency, 1..=4096);
        self.range("init.reuse_ms", config.init.reuse_ms, 0..=60_000);
        // API Gateway closes a connection on a message of more than 128 KiB.
        self.range("api.frame_bytes", config.api.frame_bytes, 1024..=131_072);
        self.range("api.max_clients", config.api.max_clients, 1..=10_000_000);
        for origin in &config.api.allowed_origins {
            let is_origin = has_scheme(origin, &["http", "https"]) && !origin.contains(',');
            self.demand(is_origin, "api.allowed_origins", || {
                format!("contains `{origin}`, allowed: origins like `https://place.example`")
            });
        }
    }

    fn functions(&mut self, config: &StackConfig) {
        let functions = &config.functions;
        self.range("functions.memory_mb", functions.memory_mb, 128..=10_240);
        let (width, height) = (config.canvas.width, config.canvas.height);
        let needed = canvas_memory_mib(u64::from(width) * u64::from(height));
        let has = u64::from(functions.memory_mb);
        self.demand(has < 128 || needed <= has, "functions.memory_mb", || {
            format!(
                "is {has}, needed: {needed} for a canvas of {width} x {height} pixels, because \
                 a function holds the whole canvas"
            )
        });
        // API Gateway gives an integration 29 s; Lambda gives a function 900 s.
        self.range(
            "functions.route_timeout_s",
            functions.route_timeout_s,
            1..=29,
        );
        self.range(
            "functions.broadcast_timeout_s",
            functions.broadcast_timeout_s,
            10..=900,
        );
        self.range(
            "functions.initialize_timeout_s",
            functions.initialize_timeout_s,
            5..=900,
        );
        self.range(
            "functions.save_timeout_s",
            functions.save_timeout_s,
            10..=900,
        );
        self.demand(
            RETENTION_DAYS.contains(&functions.log_retention_days),
            "functions.log_retention_days",
            || {
                format!(
                    "is {}, allowed: {RETENTION_DAYS:?}",
                    functions.log_retention_days
                )
            },
        );
    }

    fn services(&mut self, config: &StackConfig) {
        let schedule = &config.schedule;
        self.range("schedule.rate_minutes", schedule.rate_minutes, 1..=1440);
        self.range("schedule.retries", schedule.retries, 0..=185);
        self.range(
            "queues.max_receive_count",
            config.queues.max_receive_count,
            1..=1000,
        );
        let redis = &config.redis;
        self.range("redis.max_storage_gb", redis.max_storage_gb, 1..=5000);
        self.range(
            "redis.max_ecpu_per_second",
            redis.max_ecpu_per_second,
            1000..=15_000_000,
        );
        self.demand(
            redis.node_type.starts_with("cache."),
            "redis.node_type",
            || {
                format!(
                    "is `{}`, allowed: a node type like `cache.t4g.micro`",
                    redis.node_type
                )
            },
        );
        let canvas = memory::canvas_bytes(config) / 1_000_000;
        self.demand(memory::holds_canvas(config), "redis", || {
            format!(
                "is too small for the canvas of {canvas} MB, because the cache holds the canvas \
                 twice while opening; raise `redis.node_type` or `redis.max_storage_gb`"
            )
        });
        let is_version = redis
            .engine_version
            .split('.')
            .all(|part| part.parse::<u16>().is_ok());
        self.demand(is_version, "redis.engine_version", || {
            format!(
                "is `{}`, allowed: a version like `7` or `7.1`",
                redis.engine_version
            )
        });
        if config.vpc.mode == VpcMode::Dedicated {
            self.demand(is_vpc_cidr(&config.vpc.cidr), "vpc.cidr", || {
                format!(
                    "is `{}`, allowed: a private network from /16 to /24",
                    config.vpc.cidr
                )
            });
        }
        self.range("local.port", config.local.port, 1..=u16::MAX);
    }

    fn page(&mut self, page: &PageConfig) {
        let links = [
            ("page.imprint", &page.imprint),
            ("page.privacy", &page.privacy),
            ("page.address", &page.address),
        ];
        for (key, link) in links {
            if let Some(url) = link {
                self.demand(has_scheme(url, &["http", "https"]), key, || {
                    format!("is `{url}`, allowed: an address that begins with http:// or https://")
                });
            }
        }
        let length = page.title.chars().count();
        let fits = (1..=100).contains(&length) && !page.title.chars().any(char::is_control);
        self.demand(fits, "page.title", || {
            "is empty, longer than 100 characters, or holds a control character".to_owned()
        });
    }

    fn endpoints(&mut self, endpoints: &EndpointsConfig) {
        let rules: [(&str, &Option<String>, &[&str]); 5] = [
            ("endpoints.aws", &endpoints.aws, &["http", "https"]),
            ("endpoints.gateway", &endpoints.gateway, &["http", "https"]),
            ("endpoints.websocket", &endpoints.websocket, &["ws", "wss"]),
            ("endpoints.page", &endpoints.page, &["http", "https"]),
            ("endpoints.redis", &endpoints.redis, &["redis", "rediss"]),
        ];
        for (key, value, schemes) in rules {
            if let Some(url) = value {
                self.demand(has_scheme(url, schemes), key, || {
                    format!(
                        "is `{url}`, allowed: an address that begins with {}://",
                        schemes.join(":// or ")
                    )
                });
            }
        }
    }
}

fn is_colour(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|hex| hex.len() == 6 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

fn has_scheme(url: &str, schemes: &[&str]) -> bool {
    url.split_once("://").is_some_and(|(scheme, rest)| {
        schemes.contains(&scheme)
            && !rest.is_empty()
            && !rest.starts_with('/')
            && !rest.contains(char::is_whitespace)
    })
}

fn is_vpc_cidr(text: &str) -> bool {
    let Some((address, length)) = text.split_once('/') else {
        return false;
    };
    let (Ok(address), Ok(length)) = (address.parse::<Ipv4Addr>(), length.parse::<u32>()) else {
        return false;
    };
    (16..=24).contains(&length) && address.is_private() && address.to_bits() << length == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn keys(change: impl FnOnce(&mut StackConfig)) -> Vec<String> {
        let mut config = StackConfig::default();
        change(&mut config);
        config
            .check()
            .into_iter()
            .map(|finding| finding.key)
            .collect()
    }

    #[test]
    fn the_defaults_hold() {
        assert_eq!(StackConfig::default().check(), []);
    }

    #[test]
    fn a_canvas_of_0_x_5_is_refused() {
        assert_eq!(
            keys(|c| (c.canvas.width, c.canvas.height) = (0, 5)),
            ["canvas.width"]
        );
    }

    /// initializeConnection peaks at 494 MiB for noise of 8192 x 8192, and at 131 for 4096 x 4096.
    #[test]
    fn a_canvas_that_the_functions_memory_does_not_hold_is_refused() {
        let sides = |side, memory| {
            keys(|c| {
                (c.canvas.width, c.canvas.height) = (side, side);
                c.functions.memory_mb = memory;
            })
        };
        assert_eq!(sides(8192, 512), ["functions.memory_mb"]);
        assert_eq!(sides(8192, 1024), [""; 0]);
        assert_eq!(sides(4096, 128), ["functions.memory_mb"]);
        assert_eq!(sides(4096, 512), [""; 0]);
        assert_eq!(sides(1000, 128), [""; 0]);
    }

    #[test]
    fn a_stack_name_that_any_service_would_reject_is_refused() {
        for name in [
            "",
            "Place",
            "9lives",
            "a_b",
            "a--b",
            "a-",
            "this-name-is-far-too-long",
        ] {
            assert_eq!(keys(|c| c.stack = name.into())[0], "stack", "{name}");
        }
    }

    #[test]
    fn several_rules_speak_at_once() {
        let broken = keys(|c| {
            c.canvas.background = "white".into();
            c.schedule.retries = 186;
            c.functions.log_retention_days = 2;
            c.endpoints.redis = Some("http://x".into());
        });
        assert_eq!(
            broken,
            [
                "canvas.background",
                "functions.log_retention_days",
                "schedule.retries",
                "endpoints.redis",
            ]
        );
    }

    #[test]
    fn a_dedicated_vpc_needs_a_private_network() {
        for (cidr, fits) in [
            ("10.0.0.0/16", true),
            ("10.0.0.0/8", false),
            ("10.0.0.1/16", false),
        ] {
            let found = keys(|c| (c.vpc.mode, c.vpc.cidr) = (VpcMode::Dedicated, cidr.into()));
            assert_eq!(found.is_empty(), fits, "{cidr}");
        }
    }
}
