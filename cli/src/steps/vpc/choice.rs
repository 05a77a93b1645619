//! Which three subnets: a rule that always gives the same three.

use std::collections::BTreeSet;
use std::fmt;

use aws_sdk_ec2::types::{AvailabilityZone, Subnet as Answered};

use super::super::Subnet;

/// Subnets, and availability zones, that a place needs.
const NEEDED: usize = 3;

/// Zones that Lambda does not serve (us-east-1's oldest): chosen only where nothing else is left.
const UNSUITABLE: [&str; 1] = ["use1-az3"];

/// The region has fewer than three availability zones.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "a stack needs three availability zones, but the region has {}: {}",
    .0.len(),
    List(.0)
)]
pub(super) struct TooFewZones(Vec<String>);

struct List<'a>(&'a [String]);

impl fmt::Display for List<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

/// A zone by id (`use1-az1`, the same everywhere) and name (`us-east-1a`, this account's own).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Zone {
    /// Its id.
    pub(super) id: String,
    /// Its name.
    pub(super) name: String,
}

/// The zones among which subnets can lie: no local zones, none out of service.
pub(super) fn usable(zones: &[AvailabilityZone]) -> Vec<Zone> {
    let plain = zones.iter().filter(|zone| {
        zone.zone_type().unwrap_or("availability-zone") == "availability-zone"
            && zone
                .state()
                .is_none_or(|state| state.as_str() == "available")
    });
    let zone = |zone: &AvailabilityZone| Zone {
        id: zone.zone_id().unwrap_or_default().to_owned(),
        name: zone.zone_name().unwrap_or_default().to_owned(),
    };
    plain.map(zone).collect()
}

/// The zone for the subnet `index` (0 to 2) of a stack. Its three zones are in order: those in
/// `preferred` (where subnets are already) before the others, by zone id.
pub(super) fn zone(all: &[Zone], preferred: &[String], index: usize) -> Result<Zone, TooFewZones> {
    let mut ranked: Vec<&Zone> = all.iter().collect();
    ranked.sort_by_key(|zone| {
        (
            UNSUITABLE.contains(&zone.id.as_str()),
            !preferred.contains(&zone.id),
            &zone.id,
        )
    });
    let mut chosen: Vec<Zone> = ranked.into_iter().take(NEEDED).cloned().collect();
    chosen.sort_by(|one, other| one.id.cmp(&other.id));
    let ids = || chosen.iter().map(|zone| zone.id.clone()).collect();
    chosen.get(index).cloned().ok_or_else(|| TooFewZones(ids()))
}

/// Subnets that the stack's route tables are associated with already, by id.
#[derive(Clone, Debug, Default)]
pub(super) struct Taken {
    /// With the public one.
    pub(super) public: Vec<String>,
    /// With the private one.
    pub(super) private: Vec<String>,
}

/// The three default subnets of a VPC, if it has three: first the public one, then the private
/// ones, by the id of their zones. Those that are `taken` keep their places, so that a default
/// subnet that comes later, in a zone before theirs, moves nothing.
pub(super) fn default_subnets(all: &[Answered], taken: &Taken) -> Option<[Subnet; NEEDED]> {
    let mut ranked: Vec<Subnet> = defaults(all);
    let suitable = |subnet: &Subnet| !UNSUITABLE.contains(&subnet.zone_id.as_str());
    ranked.sort_by_key(|subnet| (!suitable(subnet), subnet.zone_id.clone()));
    let mut public = take(&mut ranked, &taken.public, 1);
    let mut private = take(&mut ranked, &taken.private, NEEDED - public.len());
    if private.len() == NEEDED {
        // Somebody moved the public one to the private table: it was the first.
        public.push(private.remove(0));
    }
    ranked.truncate(NEEDED - public.len() - private.len());
    ranked.sort_by(|one, other| one.zone_id.cmp(&other.zone_id));
    let mut rest = ranked.into_iter();
    if public.is_empty() {
        public.extend(rest.next());
    }
    private.extend(rest);
    private.sort_by(|one, other| one.zone_id.cmp(&other.zone_id));
    public.append(&mut private);
    public.try_into().ok()
}

/// Takes up to `most` of the subnets with one of the `ids` out of `from`.
fn take(from: &mut Vec<Subnet>, ids: &[String], most: usize) -> Vec<Subnet> {
    let mut taken = Vec::new();
    from.retain(|subnet| {
        let wanted = taken.len() < most && ids.contains(&subnet.id);
        if wanted {
            taken.push(subnet.clone());
        }
        !wanted
    });
    taken
}

/// Ids of the zones that have a default subnet.
pub(super) fn zones_with_default(all: &[Answered]) -> Vec<String> {
    let zones: BTreeSet<String> = defaults(all)
        .into_iter()
        .map(|subnet| subnet.zone_id)
        .collect();
    zones.into_iter().collect()
}

fn defaults(all: &[Answered]) -> Vec<Subnet> {
    all.iter()
        .filter(|subnet| subnet.default_for_az() == Some(true))
        .map(subnet)
        .collect()
}

/// A subnet as EC2 answers it.
pub(super) fn subnet(answered: &Answered) -> Subnet {
    Subnet {
        id: answered.subnet_id().unwrap_or_default().to_owned(),
        zone_id: answered
            .availability_zone_id()
            .unwrap_or_default()
            .to_owned(),
        zone: answered.availability_zone().unwrap_or_default().to_owned(),
    }
}

/// The block of the subnet `index` (0 to 2) of a VPC with the IPv4 block `cidr`: a quarter each.
pub(super) fn quarter(cidr: &str, index: usize) -> Option<String> {
    let (address, prefix) = cidr.split_once('/')?;
    let prefix: u32 = prefix
        .parse()
        .ok()
        .filter(|prefix| (16..=24).contains(prefix))?;
    let network = u32::from(address.parse::<std::net::Ipv4Addr>().ok()?);
    let index = u32::try_from(index).ok().filter(|index| *index < 4)?;
    let block = network.checked_add(index << (30 - prefix))?;
    Some(format!(
        "{}/{}",
        std::net::Ipv4Addr::from(block),
        prefix + 2
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(id: &str, zone: &str, default: bool) -> Answered {
        Answered::builder()
            .subnet_id(id)
            .availability_zone_id(zone)
            .default_for_az(default)
            .build()
    }

    fn zone(id: &str) -> Zone {
        Zone {
            id: id.to_owned(),
            name: String::new(),
        }
    }

    fn ids<T: AsRef<[Subnet]>>(subnets: &T) -> Vec<&str> {
        subnets
            .as_ref()
            .iter()
            .map(|subnet| subnet.id.as_str())
            .collect()
    }

    #[test]
    fn a_public_subnet_that_was_moved_to_the_private_table_stays_the_public_one() {
        let all =
            ["1", "2", "3", "4"].map(|n| answered(&format!("s{n}"), &format!("use1-az{n}"), true));
        let private = ["s4", "s2", "s1"].map(str::to_owned).to_vec();
        let taken = Taken {
            private,
            ..Taken::default()
        };
        let chosen = default_subnets(&all, &taken).unwrap();
        assert_eq!(ids(&chosen), ["s1", "s2", "s4"]);
    }

    #[test]
    fn six_default_subnets_give_the_same_three_in_any_order() {
        let mut all: Vec<Answered> = (1..=6)
            .map(|n| answered(&format!("s{n}"), &format!("use1-az{n}"), true))
            .collect();
        assert_eq!(
            ids(&default_subnets(&all, &Taken::default()).unwrap()),
            ["s1", "s2", "s4"]
        );
        all.reverse();
        assert_eq!(
            ids(&default_subnets(&all, &Taken::default()).unwrap()),
            ["s1", "s2", "s4"]
        );
    }

    #[test]
    fn a_subnet_that_comes_later_moves_nothing() {
        let all: Vec<Answered> = (1..=4)
            .map(|n| answered(&format!("s{n}"), &format!("euw1-az{n}"), true))
            .collect();
        let ids_of = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect();
        let taken = Taken {
            public: ids_of(&["s2"]),
            private: ids_of(&["s4", "s3"]),
        };
        let chosen = default_subnets(&all, &taken).unwrap();
        assert_eq!(ids(&chosen), ["s2", "s3", "s4"]);
        // Where only a part is taken, because a run was stopped, the rest is as it would have been.
        let taken = Taken {
            public: Vec::new(),
            private: ids_of(&["s3"]),
        };
        let chosen = default_subnets(&all, &taken).unwrap();
        assert_eq!(ids(&chosen), ["s1", "s2", "s3"]);
    }

    #[test]
    fn an_unsuitable_zone_is_better_than_none() {
        let all = ["use1-az2", "use1-az3", "use1-az1"].map(|zone| answered(zone, zone, true));
        let chosen = default_subnets(&all, &Taken::default()).unwrap();
        assert_eq!(ids(&chosen), ["use1-az1", "use1-az2", "use1-az3"]);
    }

    #[test]
    fn subnets_that_are_nobodys_default_do_not_count() {
        let all = [
            answered("a", "euw1-az1", true),
            answered("b", "euw1-az2", false),
            answered("c", "euw1-az3", true),
        ];
        assert_eq!(default_subnets(&all, &Taken::default()), None);
        assert_eq!(zones_with_default(&all), ["euw1-az1", "euw1-az3"]);
    }

    #[test]
    fn zones_that_have_a_subnet_come_first() {
        let all = ["a", "b", "c", "d"].map(zone);
        let chosen = [0, 1, 2].map(|index| super::zone(&all, &["d".to_owned()], index).unwrap());
        assert_eq!(chosen.map(|zone| zone.id), ["a", "b", "d"]);
    }

    #[test]
    fn two_zones_are_too_few_and_are_named() {
        let two = [zone("usw1-az1"), zone("usw1-az3")];
        assert_eq!(super::zone(&two, &[], 1).unwrap(), two[1]);
        let error = super::zone(&two, &[], 2).unwrap_err();
        assert_eq!(
            error.to_string(),
            "a stack needs three availability zones, but the region has 2: usw1-az1, usw1-az3"
        );
    }

    #[test]
    fn local_zones_are_not_usable() {
        let zones = ["availability-zone", "local-zone"].map(|kind| {
            AvailabilityZone::builder()
                .zone_id(kind)
                .zone_type(kind)
                .build()
        });
        assert_eq!(usable(&zones).len(), 1);
    }

    #[test]
    fn a_vpc_is_cut_in_quarters() {
        assert_eq!(quarter("10.0.0.0/16", 0).as_deref(), Some("10.0.0.0/18"));
        assert_eq!(quarter("10.0.0.0/16", 2).as_deref(), Some("10.0.128.0/18"));
        assert_eq!(quarter("10.1.2.0/24", 1).as_deref(), Some("10.1.2.64/26"));
        assert_eq!(quarter("nonsense", 1), None);
        assert_eq!(quarter("10.0.0.0/8", 1), None);
    }
}
