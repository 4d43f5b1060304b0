
seal "static" {
  current_key_id = "one"
  current_key    = "0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0"
}

initialize "identity" {
  request "userpass" {
    operation = "update"
    path      = "sys/auth/userpass"
    data      = { type = "userpass" }
  }
  request "policy" {
    operation = "create"
    path      = "sys/policies/acl/reader"
    data      = {
      policy = "path \"kv/*\" { capabilities = [\"read\", \"list\"] }"
    }
  }
  request "ada" {
    operation = "update"
    path      = "auth/userpass/users/ada"
    data      = {
      password       = { eval_source = "env" eval_type = "string" env_var = "HOME" }
      token_policies = ["reader"]
      token_ttl      = 600
    }
  }
}

initialize "secrets" {
  request "mount" {
    operation = "update"
    path      = "sys/mounts/kv"
    data {
      type    = "kv"
      options { version = "1" }
      config  { default_lease_ttl = "1h" }
    }
  }
  request "again" {
    operation     = "update"
    path          = "sys/mounts/kv"
    data          = { type = "kv" }
    allow_failure = true
  }
  request "values" {
    operation = "update"
    path      = "kv/values"
    data      = {
      text    = "text"
      number  = 7
      real    = 1.5
      yes     = true
      list    = ["a", 1, false, { eval_source = "env" eval_type = "string" env_var = "NOT_SET_ANYWHERE" }]
      nested  = { one = { two = "three" } }
      typed   = { eval_source = "env" eval_type = "bool" env_var = "NOT_SET_ANYWHERE" }
      count   = { eval_source = "env" eval_type = "int" env_var = "NOT_SET_ANYWHERE" }
      texts   = { eval_source = "env" eval_type = "[]string" env_var = "NOT_SET_ANYWHERE" }
      path    = { eval_source = "request" eval_type = "string" initialize_name = "secrets" request_name = "mount" field_selector = "path" }
      same    = { eval_source = "request" eval_type = "any" initialize_name = "identity" request_name = "userpass" field_selector = ["map", "type"] }
    }
  }
  request "read" {
    operation = "read"
    path      = "kv/values"
  }
  request "list" {
    operation = "list"
    path      = "kv/"
  }
  request "nothing" {
    operation = "read"
    path      = "kv/nothing"
  }
  request "copy" {
    operation = "update"
    path      = "kv/copy"
    data      = {
      text = { eval_source = "response" eval_type = "string" initialize_name = "secrets" response_name = "read" field_selector = ["data", "text"] }
      keys = { eval_source = "response" eval_type = "[]string" initialize_name = "secrets" response_name = "list" field_selector = ["data", "keys"] }
      all  = { eval_source = "response" eval_type = "map" initialize_name = "secrets" response_name = "read" field_selector = "data" }
    }
  }
  request "delete" {
    operation = "delete"
    path      = "kv/nothing"
  }
}

initialize "operators" {
  request "root" {
    operation = "update"
    path      = "auth/token/create"
    data      = { id = "root", no_parent = true, policies = ["root"] }
  }
  request "child" {
    operation = "update"
    path      = "auth/token/create"
    data      = { id = "child-of-root", policies = ["default"] }
  }
  request "self" {
    operation = "read"
    path      = "auth/token/lookup-self"
    token     = { eval_source = "response" eval_type = "string" initialize_name = "operators" response_name = "root" field_selector = ["auth", "client_token"] }
  }
  request "wrong" {
    operation     = "read"
    path          = "auth/token/lookup-self"
    token         = "nobody"
    allow_failure = "true"
  }
}
