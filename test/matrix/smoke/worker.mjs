import { smoke } from "./smoke.mjs";

export default {
  async fetch(request) {
    if (request.method !== "POST") return new Response("ready");
    try {
      return Response.json(await smoke(await request.json()));
    } catch (error) {
      return new Response(error.stack, { status: 500 });
    }
  },
};
