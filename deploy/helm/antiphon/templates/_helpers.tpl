{{/* The labels that select the pods of one part. Arguments: root, part. */}}
{{- define "antiphon.selector" -}}
app.kubernetes.io/name: antiphon
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .part }}
{{- end }}

{{/* All labels of an object. Arguments: root, part. */}}
{{- define "antiphon.labels" -}}
{{ include "antiphon.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{/* Name and labels of an object. Arguments: root, part. */}}
{{- define "antiphon.metadata" -}}
name: {{ .root.Release.Name }}-{{ .part }}
namespace: {{ .root.Release.Namespace }}
labels:
  {{- include "antiphon.labels" . | nindent 2 }}
{{- end }}

{{/* What every pod has. A Service called redis or gateway would set REDIS_PORT=tcp://... by service
links, which our settings refuse. Arguments: root, part, user, group. */}}
{{- define "antiphon.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .group }}
  fsGroup: {{ .group }}
  seccompProfile: {type: RuntimeDefault}
topologySpreadConstraints:
  {{- range list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - maxSkew: 1
    topologyKey: {{ . }}
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels:
        {{- include "antiphon.selector" $ | nindent 8 }}
  {{- end }}
{{- end }}

{{/* What every container has. */}}
{{- define "antiphon.container" -}}
imagePullPolicy: IfNotPresent
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end }}

{{/* An environment variable from a Secret. Arguments: variable, secret. */}}
{{- define "antiphon.fromSecret" -}}
- name: {{ .variable }}
  valueFrom:
    secretKeyRef: {name: {{ .secret.name }}, key: {{ .secret.key }}}
{{- end }}

{{/* Further settings. */}}
{{- define "antiphon.settings" -}}
{{- range $name, $value := . }}
- name: {{ $name }}
  value: {{ $value | toString | quote }}
{{- end }}
{{- end }}

{{/* May be evicted one at a time, and at once when not ready. Arguments: root, part. */}}
{{- define "antiphon.budget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  {{- include "antiphon.metadata" . | nindent 2 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels:
      {{- include "antiphon.selector" . | nindent 6 }}
{{- end }}

{{/* The ways from a pod to DNS and Redis. */}}
{{- define "antiphon.egress" -}}
- ports:
    - {port: 53, protocol: UDP}
    - {port: 53, protocol: TCP}
{{- if .Values.redis.bundled.enabled }}
- to:
    - podSelector:
        matchLabels:
          {{- include "antiphon.selector" (dict "root" . "part" "redis") | nindent 10 }}
  ports:
    - {port: redis, protocol: TCP}
{{- else }}
- ports:
    {{- range .Values.redis.ports }}
    - {port: {{ . }}, protocol: TCP}
    {{- end }}
{{- end }}
{{- end }}

{{/* The way to the OpenTelemetry collector, if these settings name one in OTLP_ENDPOINT. */}}
{{- define "antiphon.collector" -}}
{{- with .OTLP_ENDPOINT }}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
- ports:
    - {port: {{ $port | default (ternary "443" "80" (eq $url.scheme "https")) }}, protocol: TCP}
{{- end }}
{{- end }}

{{/* The pods of a namespace. */}}
{{- define "antiphon.namespace" -}}
- namespaceSelector:
    matchLabels: {kubernetes.io/metadata.name: {{ . }}}
{{- end }}

{{/* PromQL: calls and callers who wait. Every gateway shows the whole fleet. Where no gateway is
scraped it is empty, and the autoscaler falls back. */}}
{{- define "antiphon.callers" -}}
{{- $of := ternary (printf "{%s}" .Values.autoscaling.selector) "" (ne .Values.autoscaling.selector "") -}}
(sum(max by (engine) (antiphon_fleet_slots{{ $of }} - antiphon_fleet_free_slots{{ $of }})) or vector(0)) + max(antiphon_fleet_waiting_callers{{ $of }})
{{- end }}
