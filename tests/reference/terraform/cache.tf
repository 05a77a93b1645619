# Step 2: Redis over all three zones.

resource "aws_elasticache_serverless_cache" "cache" {
  count                = var.cache_mode == "serverless" ? 1 : 0
  engine               = "redis"
  name                 = "placev2cache"
  major_engine_version = "7"
  security_group_ids   = [aws_security_group.cache.id]
  subnet_ids           = [for zone in local.zones : local.by_zone[zone]]

  cache_usage_limits {
    data_storage {
      maximum = 5
      unit    = "GB"
    }
    ecpu_per_second {
      maximum = 20000
    }
  }
}

resource "aws_elasticache_subnet_group" "cache" {
  count      = var.cache_mode == "replication_group" ? 1 : 0
  name       = "placev2cache-subnets"
  subnet_ids = [for zone in local.zones : local.by_zone[zone]]
}

resource "aws_elasticache_replication_group" "cache" {
  count                      = var.cache_mode == "replication_group" ? 1 : 0
  replication_group_id       = "placev2cache"
  description                = "Cache of the canvas"
  engine                     = "redis"
  engine_version             = "7.1"
  node_type                  = "cache.t4g.micro"
  num_cache_clusters         = 3
  automatic_failover_enabled = true
  multi_az_enabled           = true
  port                       = 6379
  security_group_ids         = [aws_security_group.cache.id]
  subnet_group_name          = aws_elasticache_subnet_group.cache[0].name
}

locals {
  cache_address = one(concat(
    [for cache in aws_elasticache_serverless_cache.cache :
    "${cache.endpoint[0].address}:${cache.endpoint[0].port}"],
    [for cache in aws_elasticache_replication_group.cache :
    "${cache.primary_endpoint_address}:6379"],
  ))
}
