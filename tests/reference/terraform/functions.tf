# Step 4: the functions, each with a role, a policy and a log group of its own.

data "aws_caller_identity" "current" {}

locals {
  network = [
    "ec2:AssignPrivateIpAddresses",
    "ec2:CreateNetworkInterface",
    "ec2:DeleteNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:UnassignPrivateIpAddresses",
  ]
  connections = "${aws_apigatewayv2_api.place.execution_arn}/production/*/@connections/*"
  send        = ["sqs:SendMessage"]
  consume     = ["sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes"]
  again       = ["sqs:ChangeMessageVisibility"]
  manage      = ["execute-api:ManageConnections"]
  write       = ["dynamodb:BatchGetItem", "dynamodb:BatchWriteItem"]
  initialize  = aws_sqs_queue.queue["place2InitializeQueue"].arn
  request     = aws_sqs_queue.queue["requestQueue"].arn
  tables      = [aws_dynamodb_table.mru.arn, aws_dynamodb_table.history.arn]

  functions = {
    placev2handler = { timeout = 15, may = [
      [local.send, [local.initialize]], [local.manage, [local.connections]],
    ] }
    placev2disconnect = { timeout = 15, may = [] }
    sendMessage = { timeout = 15, may = [
      [local.send, [local.request]], [local.manage, [local.connections]],
    ] }
    placev2broadcast = { timeout = 60, may = [
      [concat(local.consume, local.send), [local.request]], [local.manage, [local.connections]],
    ] }
    initializeConnection = { timeout = 20, may = [
      [concat(local.consume, local.again), [local.initialize]], [local.manage, [local.connections]],
    ] }
    save = { timeout = 300, may = [
      [local.write, local.tables], [local.send, [local.request]], [local.manage, [local.connections]],
    ] }
    placev2admin = { timeout = 300, may = [
      [local.send, [local.request]], [local.manage, [local.connections]],
    ] }
  }

  environment = {
    PLACE_STACK                          = var.stack
    PLACE_REDIS_URL                      = "redis://${local.cache_address}"
    PLACE_REDIS_CLUSTER                  = "false"
    PLACE_GATEWAY_URL                    = "${var.endpoint}/_aws/execute-api/${aws_apigatewayv2_api.place.id}/production"
    PLACE_INITIALIZE_QUEUE_URL           = aws_sqs_queue.queue["place2InitializeQueue"].url
    PLACE_REQUEST_QUEUE_URL              = aws_sqs_queue.queue["requestQueue"].url
    PLACE_MRU_TABLE                      = aws_dynamodb_table.mru.name
    PLACE_HISTORY_TABLE                  = aws_dynamodb_table.history.name
    PLACE_WIDTH                          = "1000"
    PLACE_HEIGHT                         = "1000"
    PLACE_BACKGROUND                     = "#ffffff"
    PLACE_MAX_PIXELS_PER_MESSAGE         = "256"
    PLACE_MAX_UNSAVED_CHANGES            = "5000000"
    PLACE_COOLDOWN_MS                    = "0"
    PLACE_MAX_MESSAGES_PER_SECOND_PER_IP = "0"
    PLACE_ALLOWED_ORIGINS                = ""
    PLACE_MAX_CLIENTS                    = "100000"
    PLACE_FRAME_BYTES                    = "32768"
    PLACE_TICK_MS                        = "100"
    PLACE_MAX_POSTS_PER_SECOND           = "5000"
    PLACE_SHARDS                         = "1"
    PLACE_CONCURRENCY                    = "256"
    PLACE_REUSE_MS                       = "1000"
  }
}

resource "aws_cloudwatch_log_group" "function" {
  for_each          = local.functions
  name              = "/aws/lambda/${each.key}"
  retention_in_days = 14
}

resource "aws_iam_role" "function" {
  for_each = local.functions
  name     = "${var.stack}-${var.region}-${each.key}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = "sts:AssumeRole"
    }]
  })
}

resource "aws_iam_role_policy" "function" {
  for_each = local.functions
  name     = "place"
  role     = aws_iam_role.function[each.key].id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [
        { Effect = "Allow", Action = local.network, Resource = ["*"] },
        {
          Effect   = "Allow"
          Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
          Resource = ["${aws_cloudwatch_log_group.function[each.key].arn}:*"]
        },
      ],
      [for pair in each.value.may : { Effect = "Allow", Action = pair[0], Resource = pair[1] }],
    )
  })
}

resource "aws_lambda_function" "function" {
  for_each         = local.functions
  function_name    = each.key
  role             = aws_iam_role.function[each.key].arn
  runtime          = "provided.al2023"
  handler          = "bootstrap"
  filename         = "${var.artifacts}/${each.key}.zip"
  source_code_hash = filebase64sha256("${var.artifacts}/${each.key}.zip")
  memory_size      = 512
  timeout          = each.value.timeout

  vpc_config {
    subnet_ids         = values(local.private)
    security_group_ids = [aws_security_group.functions.id]
  }

  environment {
    variables = local.environment
  }

  depends_on = [aws_iam_role_policy.function, aws_cloudwatch_log_group.function]
}

resource "aws_lambda_event_source_mapping" "queue" {
  for_each = {
    placev2broadcast     = local.request
    initializeConnection = local.initialize
  }
  event_source_arn        = each.value
  function_name           = aws_lambda_function.function[each.key].arn
  batch_size              = 10
  function_response_types = ["ReportBatchItemFailures"]
}
