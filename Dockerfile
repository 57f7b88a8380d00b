# One static binary on an empty image: no shell, no packages, no root.
FROM golang:1.26-bookworm AS build
WORKDIR /src
COPY go.mod go.sum ./
RUN go mod download
COPY . .
RUN CGO_ENABLED=0 go build -trimpath -tags timetzdata -ldflags="-s -w" -o /out/admin ./cmd/admin \
	&& mkdir -m 0700 /out/data

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build /out/admin /admin
COPY --from=build --chown=65532:65532 /out/data /data
USER 65532:65532
ENV GAGE_DATA=/data GAGE_LISTEN=0.0.0.0:8080
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["/admin", "healthcheck"]
ENTRYPOINT ["/admin"]
CMD ["serve"]
