# Step 1: the default VPC, its first three subnets by zone, one public and two private.

data "aws_vpc" "default" {
  default = true
}

data "aws_internet_gateway" "default" {
  filter {
    name   = "attachment.vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_subnets" "default" {
  filter {
    name   = "vpc-id"
    values = [data.aws_vpc.default.id]
  }
}

data "aws_subnet" "default" {
  for_each = toset(data.aws_subnets.default.ids)
  id       = each.value
}

locals {
  by_zone = { for subnet in data.aws_subnet.default : subnet.availability_zone => subnet.id }
  zones   = slice(sort(keys(local.by_zone)), 0, 3)
  public  = local.by_zone[local.zones[0]]
  private = { for zone in slice(local.zones, 1, 3) : zone => local.by_zone[zone] }
}

resource "aws_eip" "nat" {
  domain = "vpc"
}

resource "aws_nat_gateway" "public" {
  allocation_id = aws_eip.nat.id
  subnet_id     = local.public
}

resource "aws_route_table" "public" {
  vpc_id = data.aws_vpc.default.id
}

resource "aws_route_table" "private" {
  vpc_id = data.aws_vpc.default.id
}

resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = data.aws_internet_gateway.default.id
}

resource "aws_route" "private" {
  route_table_id         = aws_route_table.private.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.public.id
}

resource "aws_route_table_association" "public" {
  route_table_id = aws_route_table.public.id
  subnet_id      = local.public
}

resource "aws_route_table_association" "private" {
  for_each       = local.private
  route_table_id = aws_route_table.private.id
  subnet_id      = each.value
}

resource "aws_security_group" "functions" {
  name        = "${var.stack}-functions"
  description = "Functions of the canvas"
  vpc_id      = data.aws_vpc.default.id

  egress {
    from_port   = 0
    to_port     = 0
    protocol    = "-1"
    cidr_blocks = ["0.0.0.0/0"]
  }
}

resource "aws_security_group" "cache" {
  name        = "${var.stack}-cache"
  description = "Cache of the canvas"
  vpc_id      = data.aws_vpc.default.id

  ingress {
    from_port       = 6379
    to_port         = 6380
    protocol        = "tcp"
    security_groups = [aws_security_group.functions.id]
  }
}
