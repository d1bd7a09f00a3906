"""The budget system (HKR): orders in batches over SOAP, answers by running number, balances to reconcile."""
