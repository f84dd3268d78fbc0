import type { Metrics } from '#telemetry';

/** Counts an answer of a front. */
export type CountAnswer = (front: string, status: number) => void;

const classes = ['', '1xx', '2xx', '3xx', '4xx', '5xx'];

export function countAnswers(metrics: Metrics): CountAnswer {
  const answers = metrics.counter({
    name: 'sallyport_http_responses_total',
    help: 'Answers, by what served them and the class of their status.',
    labels: ['front', 'status'],
  });
  return (front, status) => answers.of(front, classes[Math.floor(status / 100)] ?? '').add();
}
