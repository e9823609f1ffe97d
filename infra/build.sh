#!/usr/bin/env bash
# Compiles and lints every template here; a warning is a failure. Needs Linux and the .NET SDK, but not Azure. Leaves two files
# in artifacts/ for the tests: main.json, the compiled template, and everything.snapshot.json, what it would deploy with every
# option on.
set -eu
cd "$(dirname "$0")/.."
version=0.49.2
tool=artifacts/bicep/azure.bicep.commandline.linux-x64/$version/tools/bicep

if [ "$(uname -sm)" != "Linux x86_64" ]; then
    echo "Bicep: not checked. Its CLI is fetched only for Linux on x64."
    exit 0
fi

if [ ! -x "$tool" ]; then
    fetch=$(mktemp -d)
    trap 'rm -rf "$fetch"' EXIT
    cat >"$fetch/fetch.proj" <<PROJECT
<Project Sdk="Microsoft.NET.Sdk">
  <PropertyGroup>
    <TargetFramework>net10.0</TargetFramework>
    <RestorePackagesPath>$PWD/artifacts/bicep</RestorePackagesPath>
  </PropertyGroup>
  <ItemGroup>
    <PackageDownload Include="Azure.Bicep.CommandLine.linux-x64" Version="[$version]" />
  </ItemGroup>
</Project>
PROJECT
    dotnet restore "$fetch/fetch.proj" --verbosity quiet
    chmod u+x "$tool"
fi

# Any output is a warning or an error.
bicep() {
    local said
    if ! said=$("$tool" "$@" 2>&1) || [ -n "$said" ]; then
        echo "bicep $*: $said" >&2
        return 1
    fi
}

bicep build --pattern 'infra/**/*.bicep' --outdir artifacts
bicep lint --pattern 'infra/**/*.bicep'
export WEBHOOK_PASSWORD=only-for-the-compiler
bicep build-params infra/main.bicepparam --outfile artifacts/main.parameters.json

cat >artifacts/everything.bicepparam <<'PARAMETERS'
using '../infra/main.bicep'

param webhookPassword = 'only-for-the-compiler'
param previousWebhookPassword = 'only-for-the-compiler'
param smtp2goApiKey = 'only-for-the-compiler'
param smtp2goApiUrl = 'https://eu-api.smtp2go.com/v3'
param allowedSources = ['webhooks.smtp2go.com']
param allowedIpRanges = ['192.0.2.0/24']
param retentionDays = 30
param alwaysReadyHttpInstances = 1
param alertEmail = 'someone@example.com'
param availabilityTest = true
param alertOnSilence = true
PARAMETERS
bicep snapshot artifacts/everything.bicepparam --mode overwrite --resource-group smtp2go --location westeurope \
    --subscription-id 00000000-0000-0000-0000-000000000000 --deployment-name main

echo "Bicep: built and linted without a warning."
