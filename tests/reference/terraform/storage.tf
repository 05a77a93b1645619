# Step 5: two ordered queues without encryption, each with a dead-letter queue.

locals {
  queues = {
    place2InitializeQueue = 25
    requestQueue          = 360
  }
}

resource "aws_sqs_queue" "dead_letter" {
  for_each                = local.queues
  name                    = "${each.key}-dlq.fifo"
  fifo_queue              = true
  sqs_managed_sse_enabled = false
}

resource "aws_sqs_queue" "queue" {
  for_each                   = local.queues
  name                       = "${each.key}.fifo"
  fifo_queue                 = true
  sqs_managed_sse_enabled    = false
  visibility_timeout_seconds = each.value

  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.dead_letter[each.key].arn
    maxReceiveCount     = 5
  })
}

# Step 6: the current colour of each pixel, and every change.

resource "aws_dynamodb_table" "mru" {
  name         = "mru_pixels"
  billing_mode = "PAY_PER_REQUEST"
  table_class  = "STANDARD"
  hash_key     = "pixel"

  attribute {
    name = "pixel"
    type = "S"
  }
}

resource "aws_dynamodb_table" "history" {
  name         = "pixel_history"
  billing_mode = "PAY_PER_REQUEST"
  table_class  = "STANDARD_INFREQUENT_ACCESS"
  hash_key     = "pixel"
  range_key    = "t"

  attribute {
    name = "pixel"
    type = "S"
  }

  attribute {
    name = "t"
    type = "S"
  }
}
