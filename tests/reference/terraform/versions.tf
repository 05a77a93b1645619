terraform {
  required_version = ">= 1.11"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

# Every call goes to the emulator; without an endpoint this configuration refuses to plan.
provider "aws" {
  region                      = var.region
  access_key                  = var.access_key
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = false

  default_tags {
    tags = { "place:stack" = var.stack }
  }

  endpoints {
    apigatewayv2   = var.endpoint
    cloudwatchlogs = var.endpoint
    dynamodb       = var.endpoint
    ec2            = var.endpoint
    elasticache    = var.endpoint
    iam            = var.endpoint
    lambda         = var.endpoint
    scheduler      = var.endpoint
    sqs            = var.endpoint
    sts            = var.endpoint
  }
}
