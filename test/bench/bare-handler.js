// The peer of the REST bench: Express and a pool of `pg`, and nothing that guards them.
import process from 'node:process';
import express from 'express';
import pg from 'pg';

const pool = new pg.Pool({ connectionString: process.env.BENCH_POSTGRES_URL, max: 20 });
const app = express();

app.get('/api/postgres/public/items/:id', async (request, response) => {
  const { rows } = await pool.query('select * from items where id = $1', [request.params.id]);
  response.json(rows[0]);
});

app.post('/query', express.json(), async (request, response) => {
  const { sql, params } = request.body;
  const { rows, rowCount, fields } = await pool.query(sql, params);
  response.json({ columns: fields.map(({ name }) => ({ name })), rows, rowCount });
});

const server = app.listen(0, '127.0.0.1', () => {
  process.stdout.write(`${server.address().port}\n`);
});
