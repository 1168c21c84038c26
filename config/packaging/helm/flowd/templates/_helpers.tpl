{{/* The address to listen on: beyond this node only where somebody said who may ask. */}}
{{- define "flowd.listenAddress" -}}
{{- $address := .Values.listenAddress | default (ternary "0.0.0.0" "127.0.0.1" (not (empty .Values.web.secret))) -}}
{{- $local := has $address (list "127.0.0.1" "[::1]" "localhost") -}}
{{- if not (or $local .Values.web.secret .Values.web.open) -}}
{{- fail "listenAddress lets anyone who reaches the node read: set web.secret to a Secret with tokens or users, or web.open to true" -}}
{{- end -}}
{{- $address -}}
{{- end -}}

{{/* Where the probes of this node's kubelet reach it. */}}
{{- define "flowd.probeHost" -}}
{{- $address := include "flowd.listenAddress" . -}}
{{- if has $address (list "0.0.0.0" "localhost") -}}127.0.0.1
{{- else if has $address (list "[::]" "[::1]") -}}::1
{{- else -}}{{ $address | trimPrefix "[" | trimSuffix "]" }}
{{- end -}}
{{- end -}}
