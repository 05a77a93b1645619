# Step 3: the WebSocket API, its routes, and a stage with an explicit deployment.

locals {
  routes = {
    "$connect"    = "placev2handler"
    "$disconnect" = "placev2disconnect"
    "sendMessage" = "sendMessage"
  }
}

resource "aws_apigatewayv2_api" "place" {
  name                       = var.stack
  protocol_type              = "WEBSOCKET"
  route_selection_expression = "$request.body.action"
}

resource "aws_apigatewayv2_integration" "route" {
  for_each           = local.routes
  api_id             = aws_apigatewayv2_api.place.id
  integration_type   = "AWS_PROXY"
  integration_method = "POST"
  integration_uri    = aws_lambda_function.function[each.value].invoke_arn
}

resource "aws_apigatewayv2_route" "route" {
  for_each  = local.routes
  api_id    = aws_apigatewayv2_api.place.id
  route_key = each.key
  target    = "integrations/${aws_apigatewayv2_integration.route[each.key].id}"
}

resource "aws_lambda_permission" "route" {
  for_each      = local.routes
  statement_id  = "api"
  action        = "lambda:InvokeFunction"
  function_name = aws_lambda_function.function[each.value].function_name
  principal     = "apigateway.amazonaws.com"
  source_arn    = "${aws_apigatewayv2_api.place.execution_arn}/*/${each.key}"
}

resource "aws_apigatewayv2_deployment" "place" {
  api_id = aws_apigatewayv2_api.place.id

  triggers = {
    routes = sha1(jsonencode([for route in aws_apigatewayv2_route.route : route.target]))
  }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_apigatewayv2_stage" "production" {
  api_id        = aws_apigatewayv2_api.place.id
  name          = "production"
  deployment_id = aws_apigatewayv2_deployment.place.id
}
