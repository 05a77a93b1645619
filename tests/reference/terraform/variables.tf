variable "endpoint" {
  description = "Address of the emulator, http://127.0.0.1:4566."
  type        = string
}

variable "access_key" {
  description = "What the emulator lets in: the key of the local cloud."
  type        = string
  sensitive   = true
}

variable "region" {
  type    = string
  default = "us-east-1"
}

variable "stack" {
  type    = string
  default = "place"
}

variable "artifacts" {
  description = "Directory with one <function>.zip each."
  type        = string
}

variable "cache_mode" {
  description = "The cache as `redis.mode` of place.toml has it."
  type        = string
  default     = "serverless"

  validation {
    condition     = contains(["serverless", "replication_group"], var.cache_mode)
    error_message = "Either serverless or replication_group."
  }
}
