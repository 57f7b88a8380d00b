package db

import (
	"context"

	"gage/app"
)

// What never changes of a delivery, and the rest.
const (
	deliveryFixed   = "id, order_no, epoch, seq, mode, news, moid, body, at"
	deliveryColumns = deliveryFixed + ", state, tries, tried_at, status, fault"
)

func scanDelivery(s scanner) (d app.Delivery, err error) {
	return d, s.Scan(&d.ID, &d.OrderNo, &d.Epoch, &d.Seq, &d.Mode, &d.News, &d.Moid, &d.Body, micros{&d.At}, &d.State, &d.Tries, micros{&d.Tried}, &d.Status, &d.Fault)
}

// DeliveriesOf reads an order's documents in the order in which they are owed.
func (d queries) DeliveriesOf(ctx context.Context, no app.OrderNo) ([]app.Delivery, error) {
	return many(ctx, d, scanDelivery, "SELECT "+deliveryColumns+" FROM deliveries WHERE order_no = $1 ORDER BY seq", no)
}

// Deliveries reads the newest documents of a mode.
func (d queries) Deliveries(ctx context.Context, mode app.Mode, limit int) ([]app.Delivery, error) {
	return many(ctx, d, scanDelivery, "SELECT "+deliveryColumns+" FROM deliveries WHERE mode = $1 ORDER BY at DESC, order_no, seq DESC LIMIT $2", mode, limit)
}

func (t *transaction) AddDelivery(ctx context.Context, d app.Delivery) error {
	t.touch("deliveries", d.ID)
	return inserted(t.exec(ctx, "INSERT INTO deliveries ("+deliveryColumns+") VALUES ("+dollars(14)+") ON CONFLICT DO NOTHING",
		d.ID, d.OrderNo, d.Epoch, d.Seq, d.Mode, d.News, d.Moid, d.Body, us(d.At), d.State, d.Tries, us(d.Tried), d.Status, d.Fault))
}

func (t *transaction) SaveDelivery(ctx context.Context, d app.Delivery) error {
	_, err := t.exec(ctx, "UPDATE deliveries SET state = $2, tries = $3, tried_at = $4, status = $5, fault = $6 WHERE id = $1 AND state = 'waiting'",
		d.ID, d.State, d.Tries, us(d.Tried), d.Status, d.Fault)
	return err
}

func (t *transaction) DropDeliveries(ctx context.Context, mode app.Mode) error {
	_, err := t.exec(ctx, "UPDATE deliveries SET state = 'dropped' WHERE mode = $1 AND state = 'waiting'", mode)
	return err
}
